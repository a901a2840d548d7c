"""The home page."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.pages import render_page
from coverage.figures.week import decisions
from coverage.home_page import changed, home
from imports.source_state import source_states


@require_action("coverage.read")
@require_safe
def home_page(request: HttpRequest) -> HttpResponse:
    """Coverage now, the two backlogs, and what the last imports changed."""
    states = source_states()
    syncs = [state.row.last_sync_at for state in states if state.row.last_sync_at]
    context = {
        "home": home(),
        "states": [state for state in states if state.row.enabled or not state.is_optional],
        "changed": changed(states),
        "decisions": decisions(),
        "as_of": max(syncs, default=None),
        "now": timezone.now(),
        "sample_data": any(state.row.is_sample for state in states),
    }
    return render_page(request, "coverage/home.html", context)
