"""Pages of test templates."""

from typing import Final

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.exports import Table
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from catalog.commands import commands_of, needs_of
from catalog.exports import exported
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
EXPORT: Final = Table(
    "templates",
    {
        "Template": "name",
        "Technique": "technique_id",
        "Published technique": "published_id",
        "Source": "source",
        "Id": "external_id",
        "Severity": "severity",
        "Platforms": "platforms",
        "Path": "path",
        "Withdrawn": "withdrawn_at",
        "Version": "source_version",
    },
)


@require_action("catalog.read")
@require_safe
def template_list(request: HttpRequest) -> HttpResponseBase:
    """Templates that upstream publishes, unless the filters ask for others."""
    templates = TestTemplate.objects.without_texts().select_related("technique")
    filterset = TestTemplateFilter(request.GET, templates)
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {"filterset": drawn(filterset, *FILTERS), "page": paginate(request, rows)}
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
