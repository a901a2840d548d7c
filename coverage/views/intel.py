"""The inbox of the news, one item, and what people make of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.filter_bar import drawn
from aegis.lib.pages import came_from, paginate, render_page
from catalog.exports import exported
from coverage.list_tables import NEWS, news_rows
from coverage.news.inbox import in_order, people, rows, with_mentions
from coverage.news.ranking import ranked, standings
from coverage.services.intel import (
    DecidedMeanwhile,
    accept_item,
    assign_item,
    dismiss_item,
    note_item,
    raise_review,
    reopen_item,
)
from intel.filters import IntelItemFilter
from intel.highlighting import runs
from intel.models import Feed, IntelItem, Mention

DRAWN: Final = ("search", "technique", "actor", "feed", "state", "assigned_to", "unassigned")
DECISIONS: Final[dict[str, tuple[Callable[..., IntelItem], str]]] = {
    "accept": (accept_item, "accepted"),
    "dismiss": (dismiss_item, "dismissed"),
    "reopen": (reopen_item, "open again"),
}
MOST_AT_ONCE: Final = 100


@require_action("intel.read")
@require_safe
def inbox(request: HttpRequest) -> HttpResponseBase:
    """The news, what matters most to us first, or by date if `?ordering=` says so."""
    filterset = IntelItemFilter(request.GET, IntelItem.objects.all())
    by_date = request.GET.get("ordering") in {"at", "-at"}
    if by_date:
        direction = "" if request.GET["ordering"] == "at" else "-"
        ids: Any = filterset.qs.order_by(f"{direction}at", f"{direction}pk").values_list("pk", flat=True)
    else:
        ids = ranked(filterset.qs)
    if (file := exported(request, NEWS, news_rows(ids))) is not None:
        return file
    page = paginate(request, ids)
    context = {
        "filterset": drawn(filterset, *DRAWN),
        "by_date": by_date,
        "page": page,
        "rows": rows(in_order(list(page.object_list))),
        "people": people(),
        "is_empty": not page.paginator.count and not IntelItem.objects.exists(),
        "failing": Feed.objects.kept().filter(enabled=True, failures__gt=0).count(),
    }
    return render_page(request, "coverage/intel_inbox.html", context, partial="list")


@require_action("intel.read")
@require_safe
def item_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One item: its text with what it names marked, and what can be done with it."""
    item = get_object_or_404(with_mentions(IntelItem.objects.all()), pk=pk)
    return render_page(request, "coverage/intel_item.html", shown_item(item))


def shown_item(item: IntelItem) -> dict[str, Any]:
    """What the page of an item shows."""
    mentions = list(item.mentions.all())
    text, behind = item.text, len(item.title) + 2
    keys = {one.key for one in mentions if one.kind == Mention.Kind.TECHNIQUE}
    known = standings(keys)
    sure = {one.key for one in mentions if one.confident and one.kind == Mention.Kind.TECHNIQUE}
    order = sorted(known.values(), key=lambda one: (one.technique.mitre_id not in sure, -one.weight))
    return {
        "item": item,
        "note": item.note,
        "title": runs(text, mentions, 0, len(item.title)),
        "text": runs(text, mentions, behind) if len(text) > behind else [],
        "techniques": [(one, one.technique.mitre_id in sure) for one in order],
        "others": _others(mentions),
        "flags": {flag.technique for flag in item.flags.all()},
        "asked": {key for key, one in known.items() if one.asks_because_of(item.get_absolute_url())},
        "people": people(),
    }


@require_action("intel.triage")
@require_POST
def decide(request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Accept an item, dismiss it, or open it again."""
    service, word = DECISIONS[decision]
    item = get_object_or_404(IntelItem, pk=pk)
    try:
        item = service(by=cast(User, request.user), item=item, as_of=_drawn_at(request))
    except DecidedMeanwhile as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, f"“{item.title[:80]}” is {word}.")
    return redirect(came_from(request) or item)


@require_action("intel.triage")
@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an item to somebody, or to nobody."""
    item = get_object_or_404(IntelItem, pk=pk)
    try:
        item = assign_item(by=cast(User, request.user), item=item, to=_person(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(came_from(request) or item)
    messages.success(request, f"It is {f'{item.assigned_to.username}’s' if item.assigned_to else 'nobody’s'} now.")
    return redirect(came_from(request) or item)


@require_action("intel.triage")
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what somebody thinks of an item."""
    item = get_object_or_404(with_mentions(IntelItem.objects.all()), pk=pk)
    text, before = (_typed(request, name) for name in ("note", "instead_of"))
    instead_of = item.note if _same_text(item.note, before) else before
    try:
        note_item(by=cast(User, request.user), item=item, note=text or "", instead_of=instead_of)
    except ValidationError as error:
        messages.error(request, f"{' '.join(error.messages)} What you wrote is below, and not saved yet.")
        return render_page(request, "coverage/intel_item.html", shown_item(item) | {"note": text}, status=409)
    messages.success(request, "The note is saved.")
    return redirect(item)


@require_action("intel.triage")
@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a technique reviewed because of an item."""
    item, technique = get_object_or_404(IntelItem, pk=pk), request.POST.get("technique", "")[:32].replace("\0", "")
    try:
        flagged = raise_review(by=cast(User, request.user), item=item, technique=technique)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{technique} {'asks' if flagged else 'asked already'} for a review because of this.")
    return redirect(item)


@require_action("intel.triage")
@require_POST
def triage(request: HttpRequest) -> HttpResponse:
    """One decision, or one person, for all items that are ticked."""
    asked = [pk for pk in request.POST.getlist("items") if pk.isdecimal() and len(pk) < 10][:MOST_AT_ONCE]
    items = list(IntelItem.objects.filter(pk__in=asked))
    decision = request.POST.get("decision", "")
    if not items:
        messages.warning(request, "Tick the items first.")
    elif decision in DECISIONS:
        _decide_all(request, items, decision)
    elif decision == "assign":
        _assign_all(request, items)
    return redirect(came_from(request) or "coverage:intel-inbox")


def _decide_all(request: HttpRequest, items: list[IntelItem], decision: str) -> None:
    service, word = DECISIONS[decision]
    left: list[str] = []
    for item in items:
        try:
            service(by=cast(User, request.user), item=item, as_of=_drawn_at(request))
        except DecidedMeanwhile as error:
            left.append(str(error.message))
    if done := len(items) - len(left):
        messages.success(request, f"{done} item{'s are' if done > 1 else ' is'} {word}.")
    if left:
        more = f" So it is with {len(left) - 1} more." if len(left) > 1 else ""
        messages.warning(request, f"{left[0]}{more}")


def _drawn_at(request: HttpRequest) -> datetime | None:
    """When the page was drawn whose form this is; None if the form does not say."""
    try:
        moment = parse_datetime(request.POST.get("as_of", ""))
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _typed(request: HttpRequest, name: str) -> str | None:
    """A text of the form as it is kept; None if the form has no such field."""
    text = request.POST.get(name)
    return None if text is None else text.replace("\r\n", "\n").strip()


def _same_text(kept: str, typed: str | None) -> bool:
    """Whether a form that was drawn with `kept` says `typed`."""
    return typed is not None and kept.replace("\r\n", "\n").strip() == typed


def _assign_all(request: HttpRequest, items: list[IntelItem]) -> None:
    user = cast(User, request.user)
    try:
        to = _person(request)
        for item in items:
            assign_item(by=user, item=item, to=to)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return
    whose = f"{to.username}’s" if to else "nobody’s"
    messages.success(request, f"{len(items)} item{'s are' if len(items) > 1 else ' is'} {whose} now.")


def _person(request: HttpRequest) -> User | None:
    """The person whom the form names, None for nobody. Raises ValidationError for one who is not there."""
    asked = request.POST.get("assigned_to", "")
    if not asked:
        return None
    found = people().filter(pk=asked).first() if asked.isdecimal() and len(asked) < 10 else None
    if found is None:
        raise ValidationError({"assigned_to": ["Choose one of the people who triage intelligence."]})
    return found


def _others(mentions: list[Mention]) -> list[Mention]:
    """What else the item names with confidence, each once, actors first."""
    order = {Mention.Kind.ACTOR: 0, Mention.Kind.SOFTWARE: 1, Mention.Kind.CVE: 2}
    each = {(one.kind, one.key): one for one in reversed(mentions) if one.kind in order and one.confident}
    return sorted(each.values(), key=lambda one: (order[Mention.Kind(one.kind)], one.text.lower()))
