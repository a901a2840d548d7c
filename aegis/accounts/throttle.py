"""How often a password may be guessed: per user from one network, and per network over all users; the rest is told to wait.

Counted by django-axes in the database. Nobody is locked out from where they did not fail themselves, and an unknown user name
counts as a known one does, so that neither a stranger's guesses nor the answers tell anything.
"""

from datetime import timedelta
from math import ceil
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from aegis.lib.problems import problem_page

API_PREFIX: Final = "/api/"
USER_LIMIT: Final = 5
NETWORK_LIMIT: Final = 20


class Throttle(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Counts failures in `settings.AXES_COOLOFF_TIME` as axes does, against two limits where axes knows one."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures in the scale of `USER_LIMIT`, those of the network made smaller in the proportion of the two limits."""
        network, user = (
            sum(attempts.values_list("failures_since_start", flat=True))
            for attempts in self.get_user_attempts(request, credentials)
        )
        return int(max(user, network * USER_LIMIT // NETWORK_LIMIT))

    def reset_user_attempts(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Forget the failures of who has now logged in. Those of others in the same network stand, or an attacker with an
        account of their own would begin anew at will.
        """
        _, user = self.filter_user_attempts(request, credentials)
        return int(user.delete()[0])

    def seconds_to_wait(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Whole seconds until all failures that count against this client are forgotten; at least one."""
        latest = [
            attempts.aggregate(latest=Max("attempt_time"))["latest"]
            for attempts in self.get_user_attempts(request, credentials)
        ]
        window: timedelta = settings.AXES_COOLOFF_TIME
        waits = [time + window - timezone.now() for time in latest if time]
        return max(1, ceil(max(waits, default=window).total_seconds()))


def too_many_attempts(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """429 with Retry-After, as a page or as a problem: AXES_LOCKOUT_CALLABLE.

    The failure that used up the last try is still answered as the failure that it is: `response`.
    """
    if response is not None and getattr(request, "axes_failures_since_start", None) is not None:
        return response
    seconds = Throttle().seconds_to_wait(request, credentials)
    if request.path.startswith(API_PREFIX):
        refusal: HttpResponse = problem_page(429, f"Too many failed logins. Try again in {seconds} seconds.")
    else:
        refusal = render(request, "accounts/too_many.html", {"minutes": ceil(seconds / 60)}, status=429)
    refusal["Retry-After"] = str(seconds)
    return refusal
