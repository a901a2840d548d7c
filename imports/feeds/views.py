"""Pages of feeds, their health, and their scans."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.list_files import exported
from aegis.lib.pages import paginate, render_page
from imports.exports import FEEDS, SCANS
from imports.feeds.forms import FeedForm
from imports.feeds.managing import add_feed, archive_feed, edit_feed
from imports.feeds.scan import ScanRunning, allowed_hosts, queue_scan
from imports.queueing import machinery
from intel.models import Feed, FeedScan

SHORT = 8
"""Scans that stand below the feeds."""


@require_action("intel.read")
@require_safe
def feed_list(request: HttpRequest) -> HttpResponseBase:
    """All feeds that are not archived with how they fare, failing ones first, and the newest scans."""
    feeds = sorted(Feed.objects.kept(), key=lambda feed: (feed.state != "failed", not feed.enabled, feed.name.lower()))
    if (file := exported(request, FEEDS, feeds)) is not None:
        return file
    context = {
        "feeds": feeds,
        "failing": sum(feed.state == "failed" for feed in feeds),
        "scans": FeedScan.objects.select_related("requested_by", "feed")[:SHORT],
        "active": FeedScan.objects.filter(is_active=True).first(),
    }
    return render_page(request, "imports/feed_list.html", context)


@require_action("feed.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def feed_new(request: HttpRequest) -> HttpResponse:
    """A new feed on an allowed host."""
    archived = Feed.objects.exclude(archived_at=None).filter(url=request.POST.get("url", "")).first()
    form = FeedForm(request.POST or None, instance=archived)
    if form.is_valid():
        feed = add_feed(form.cleaned_data)
        messages.success(request, f"{feed.name} is added. The next scan reads it.")
        return redirect("imports:feed-list")
    context = {"form": form, "feed": None, "hosts": sorted(allowed_hosts())}
    return render_page(request, "imports/feed_form.html", context, status=400 if form.errors else 200)


@require_action("feed.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def feed_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One feed: what is set, how it fares, and what can be done with it."""
    feed = get_object_or_404(Feed, pk=pk)
    form = FeedForm(request.POST or None, instance=Feed.objects.get(pk=pk))
    if form.is_valid():
        edit_feed(feed, {name: form.cleaned_data[name] for name in form.changed_data})
        messages.success(request, f"{form.cleaned_data['name']} is saved.")
        return redirect("imports:feed-list")
    context = {"form": form, "feed": feed, "hosts": sorted(allowed_hosts())}
    return render_page(request, "imports/feed_form.html", context, status=400 if form.errors else 200)


@require_action("feed.manage")
@require_POST
def feed_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Enable a disabled feed, disable an enabled one."""
    feed = get_object_or_404(Feed.objects.kept(), pk=pk)
    feed = edit_feed(feed, {"enabled": request.POST.get("enabled") == "true"})
    messages.success(request, f"{feed.name} is {'enabled' if feed.enabled else 'disabled'}.")
    return redirect("imports:feed-list")


@require_action("feed.manage")
@require_POST
def feed_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Scan a feed no more. Its items stay."""
    feed = archive_feed(get_object_or_404(Feed.objects.kept(), pk=pk))
    messages.success(request, f"{feed.name} is archived: its items stay. Add its address again to bring it back.")
    return redirect("imports:feed-list")


@require_action("feed.manage")
@require_POST
def scan_now(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Ask for a scan of all enabled feeds, or of one."""
    feed = get_object_or_404(Feed.objects.kept(), pk=pk) if pk else None
    try:
        scan = queue_scan(by=cast(User, request.user), trigger="page", feed=feed)
    except ScanRunning as error:
        messages.warning(request, str(error))
        return redirect("imports:feed-list")
    if not machinery().has_worker:
        messages.warning(
            request, "The scan waits for a worker, and none is running: start it with `celery -A aegis worker`."
        )
    return redirect(scan)


@require_action("intel.read")
@require_safe
def scan_list(request: HttpRequest) -> HttpResponseBase:
    """All scans, the newest first."""
    scans = FeedScan.objects.select_related("requested_by", "feed")
    if (file := exported(request, SCANS, scans)) is not None:
        return file
    return render_page(request, "imports/scan_list.html", {"page": paginate(request, scans)}, partial="list")


@require_action("intel.read")
@require_safe
def scan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One scan, and what it did with each feed."""
    scan = get_object_or_404(FeedScan.objects.select_related("requested_by", "feed"), pk=pk)
    return render_page(request, "imports/scan_detail.html", {"scan": scan})
