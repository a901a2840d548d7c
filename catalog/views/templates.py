"""Pages of test templates."""

from typing import Final

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from catalog.commands import commands_of, needs_of
from catalog.filters import TestTemplateFilter
from catalog.links import rules_that_see
from catalog.models import SEVERITY_RANK, TestTemplate

ORDERING: Final[Keys] = {
    "name": Lower("name"),
    "technique": "published_id",
    "severity": SEVERITY_RANK,
    "source": "source",
}
FILTERS: Final = ("search", "technique", "source", "tactic", "platform", "severity")


@require_action("catalog.read")
@require_safe
def template_list(request: HttpRequest) -> HttpResponse:
    """Templates that upstream publishes, unless the filters ask for others."""
    templates = TestTemplate.objects.without_texts().select_related("technique")
    filterset = TestTemplateFilter(request.GET, templates)
    page = paginate(request, ordered(request, filterset.qs, ORDERING))
    context = {"filterset": drawn(filterset, *FILTERS), "page": page}
    return render_page(request, "catalog/template_list.html", context, partial="list")


@require_action("catalog.read")
@require_safe
def template_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One template, whatever became of it."""
    template = get_object_or_404(TestTemplate.objects.select_related("technique"), pk=pk)
    commands = commands_of(template)
    context = {
        "template": template,
        "references": [template],
        "commands": commands,
        "needs": needs_of(template),
        "names_atomics_folder": any(command.names_atomics_folder for command in commands),
        "rules": rules_that_see(template),
    }
    return render_page(request, "catalog/template_detail.html", context)
