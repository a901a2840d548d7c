"""One's own account: who I am, where I am logged in, and my password."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts import services
from aegis.accounts.access import require_action
from aegis.accounts.forms import PasswordChangeForm
from aegis.accounts.models import User
from aegis.accounts.sessions import current_api_sessions, current_browser_sessions, note_confirmation, note_session
from aegis.lib.pages import render_page


@require_action("account.use")
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    """The user's own data, and their logins in browsers and with the API."""
    user = cast(User, request.user)
    context = {
        "browser_sessions": current_browser_sessions(user),
        "api_sessions": current_api_sessions(user),
        "current": request.session.session_key,
    }
    return render_page(request, "accounts/profile.html", context)


@require_action("account.use")
@require_POST
def end_browser_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of the user's own logins in a browser."""
    user = cast(User, request.user)
    session = get_object_or_404(user.browser_sessions, pk=pk)
    services.end_one_session(session=session, by=user)
    messages.success(request, "That browser is logged out.")
    return redirect("accounts:profile")


@require_action("account.use")
@require_POST
def end_api_session(request: HttpRequest, pk: UUID) -> HttpResponse:
    """End one of the user's own logins to the API."""
    user = cast(User, request.user)
    session = get_object_or_404(user.api_sessions, pk=pk)
    services.end_one_session(session=session, by=user)
    messages.success(request, "The tokens of that login no longer work.")
    return redirect("accounts:profile")


@require_action("account.use")
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of the user's own logins but this one."""
    user = cast(User, request.user)
    services.end_sessions(user=user, by=user, keep_session=request.session.session_key)
    messages.success(request, "You are logged out everywhere else.")
    return redirect("accounts:profile")


@require_action("account.use")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password, for which the current one is needed; all other logins end."""
    user = cast(User, request.user)
    form = PasswordChangeForm(user, request.POST or None, request=request)
    if form.is_valid():
        services.change_password(
            user=user, password=form.cleaned_data["new_password1"], keep_session=request.session.session_key
        )
        update_session_auth_hash(request, user)
        note_session(request, user)
        note_confirmation(request)
        messages.success(request, "Your password is changed. You are logged out everywhere else.")
        return redirect("accounts:profile")
    return render_page(request, "accounts/password.html", {"form": form})
