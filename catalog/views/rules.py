"""Pages of detection rules."""

from pathlib import PurePosixPath
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
from catalog.code import Code, code
from catalog.exports import exported
from catalog.filters import DetectionRuleFilter
from catalog.highlight import highlighted
from catalog.links import templates_that_trigger
from catalog.models import SEVERITY_RANK, DetectionRule

ORDERING: Final[Keys] = {
    "name": Lower("name"),
    "source": "source",
    "severity": SEVERITY_RANK,
    "status": "status",
    "modified": "modified",
}
FILTERS: Final = ("search", "technique", "source", "tactic", "platform", "severity")
EXPORT: Final = Table(
    "rules",
    {
        "Rule": "name",
        "Source": "source",
        "Id": "external_id",
        "Path": "path",
        "Severity": "severity",
        "Techniques": lambda rule: [named.published_id for named in rule.named],
        "Platforms": "platforms",
        "Status": "status",
        "Updated": "modified",
        "Withdrawn": "withdrawn_at",
        "License": "license",
        "Version": "source_version",
    },
)
FILE_LANGUAGES: Final = {".yml": "yaml", ".yaml": "yaml", ".toml": "toml"}


@require_action("catalog.read")
@require_safe
def rule_list(request: HttpRequest) -> HttpResponseBase:
    """Rules that count: live ones that name a technique, unless the filters ask for others."""
    filterset = DetectionRuleFilter(request.GET, DetectionRule.objects.without_texts().with_techniques())
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {"filterset": drawn(filterset, *FILTERS), "page": paginate(request, rows)}
    return render_page(request, "catalog/rule_list.html", context, partial="list")


@require_action("catalog.read")
@require_safe
def rule_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule, whatever became of it."""
    rule = get_object_or_404(DetectionRule.objects.with_techniques(), pk=pk)
    context = {
        "rule": rule,
        "query": _query(rule),
        "file": code(highlighted(rule.content, FILE_LANGUAGES.get(PurePosixPath(rule.path).suffix, ""))),
        "triggers": templates_that_trigger(rule),
    }
    return render_page(request, "catalog/rule_detail.html", context)


def _query(rule: DetectionRule) -> Code:
    return code(highlighted(rule.query, "yaml" if rule.language == "sigma" else "query"))
