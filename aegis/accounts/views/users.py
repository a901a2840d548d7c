"""Users, for admins: list, create, change what they may do, and links by which they set their own passwords."""

from typing import Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts import services
from aegis.accounts.access import require_action
from aegis.accounts.confirmation import recently_confirmed
from aegis.accounts.filters import UserFilter
from aegis.accounts.forms import AccessForm, NewUserForm
from aegis.accounts.models import ApiSession, BrowserSession, User
from aegis.accounts.sessions import current_api_sessions, current_browser_sessions
from aegis.lib.exports import Table
from aegis.lib.list_files import exported
from aegis.lib.pages import paginate, render_page

EXPORT: Final = Table(
    "users",
    {
        "User": "username",
        "Name": lambda user: user.get_full_name(),
        "Email": "email",
        "Role": lambda user: user.get_role_display(),
        "Can log in": "is_active",
        "Last login": "last_login",
        "Since": "date_joined",
    },
)


@require_action("user.manage")
@require_safe
def user_list(request: HttpRequest) -> HttpResponseBase:
    """All users, by name."""
    users = UserFilter(request.GET, User.objects.all())
    if (file := exported(request, EXPORT, users.qs)) is not None:
        return file
    context = {"filterset": users, "page": paginate(request, users.qs)}
    return render_page(request, "accounts/user_list.html", context, partial="list")


@require_action("user.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@recently_confirmed
def user_new(request: HttpRequest) -> HttpResponse:
    """Create a user, and show once the link by which they set their password."""
    form = NewUserForm(request.POST or None)
    if form.is_valid():
        admin, fields = cast(User, request.user), form.cleaned_data
        try:
            user = services.create_user(
                username=fields["username"], email=fields["email"], role=fields["role"], by=admin
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return link_page(request, user, services.issue_link(user=user, by=admin))
    return render_page(request, "accounts/user_new.html", {"form": form})


@require_action("user.manage")
@require_http_methods(["GET", "HEAD", "POST"])
@recently_confirmed
def user_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One user: role, whether they can log in, where they are logged in."""
    user = get_object_or_404(User, pk=pk)
    form = AccessForm(request.POST or None, initial={"role": user.role, "is_active": user.is_active})
    if form.is_valid():
        try:
            services.change_access(user=user, by=cast(User, request.user), **form.cleaned_data)
        except services.LastAdminError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Saved. {user.username} must log in anew if anything changed.")
            return redirect("accounts:user-detail", pk=pk)
    context = {
        "account": user,
        "form": form,
        "browser_sessions": current_browser_sessions(user),
        "api_sessions": current_api_sessions(user),
        "current": request.session.session_key,
    }
    return render_page(request, "accounts/user_detail.html", context)


@require_action("user.manage")
@require_POST
@recently_confirmed
def user_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue a new link by which the user sets their password, and show it once."""
    user = get_object_or_404(User, pk=pk)
    try:
        token = services.issue_link(user=user, by=cast(User, request.user))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("accounts:user-detail", pk=pk)
    return link_page(request, user, token)


@require_action("user.manage")
@require_POST
@recently_confirmed
def user_end_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """Log the user out everywhere."""
    user = get_object_or_404(User, pk=pk)
    services.end_sessions(user=user, by=cast(User, request.user))
    messages.success(request, f"{user.username} is logged out everywhere.")
    return redirect("accounts:user-detail", pk=pk)


@require_action("user.manage")
@require_POST
@recently_confirmed
def user_end_browser_session(request: HttpRequest, pk: int, session: int) -> HttpResponse:
    """End one of the user's logins in a browser."""
    found = get_object_or_404(BrowserSession, pk=session, user=pk)
    services.end_one_session(session=found, by=cast(User, request.user))
    messages.success(request, f"{found.user.username} is logged out of that browser.")
    return redirect("accounts:user-detail", pk=pk)


@require_action("user.manage")
@require_POST
@recently_confirmed
def user_end_api_session(request: HttpRequest, pk: int, session: UUID) -> HttpResponse:
    """End one of the user's logins to the API."""
    found = get_object_or_404(ApiSession, pk=session, user=pk)
    services.end_one_session(session=found, by=cast(User, request.user))
    messages.success(request, f"Those tokens of {found.user.username} no longer work.")
    return redirect("accounts:user-detail", pk=pk)


def link_page(request: HttpRequest, user: User, token: str) -> HttpResponse:
    """The page that shows a new link, this once."""
    url = request.build_absolute_uri(reverse("accounts:link", args=[token]))
    minutes = int(services.LINK_LIFE.total_seconds() / 60)
    return render(request, "accounts/link_issued.html", {"account": user, "url": url, "minutes": minutes})
