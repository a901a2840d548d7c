"""Logging in and out, confirming who one is, and setting a password by a one-time link."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from aegis.accounts.access import public, require_action
from aegis.accounts.forms import ConfirmForm, LoginForm, NewPasswordForm
from aegis.accounts.services import LinkClosedError, open_link, redeem_link
from aegis.accounts.sessions import note_confirmation
from aegis.lib.pages import came_from, render_page

log_in = public(
    LoginView.as_view(
        template_name="accounts/login.html", authentication_form=LoginForm, redirect_authenticated_user=True
    )
)


@require_action("account.use")
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session; the browser forgets the pages that it kept, so that Back shows nothing.

    What it stores stays: that is the choice between light and dark, and nothing else.
    """
    logout(request)
    response = redirect("accounts:login")
    response["Clear-Site-Data"] = '"cache"'
    return response


@require_action("account.use")
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for the password again before something that only its owner should do, then go back to `next`."""
    form = ConfirmForm(request.POST or None, request=request)
    wish = came_from(request) or "/"
    if form.is_valid():
        note_confirmation(request)
        return redirect(wish)
    return render_page(request, "accounts/confirm.html", {"form": form, "next": wish})


@public
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def one_time_link(request: HttpRequest, token: str) -> HttpResponse:
    """Set a password by a link. To look at it does not use it up: mail programs look at links, too."""
    try:
        user = open_link(token).user
        form = NewPasswordForm(user, request.POST or None)
        if form.is_valid():
            redeem_link(token=token, password=form.cleaned_data["new_password1"])
            messages.success(request, "Your password is set. Log in with it.")
            return redirect("accounts:login")
    except LinkClosedError as error:
        return render(request, "accounts/link_closed.html", {"reason": str(error)}, status=410)
    return render(request, "accounts/set_password.html", {"form": form, "username": user.username})
