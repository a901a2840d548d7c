"""Logging in and out."""

from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from aegis.accounts.access import public, require_action
from aegis.accounts.forms import LoginForm

log_in = public(
    LoginView.as_view(
        template_name="accounts/login.html", authentication_form=LoginForm, redirect_authenticated_user=True
    )
)


@require_action("account.use")
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session; the browser forgets the pages that it kept, so that Back shows nothing."""
    logout(request)
    response = redirect("accounts:login")
    response["Clear-Site-Data"] = '"cache"'
    return response
