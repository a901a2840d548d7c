"""All routes of the API below /api/: each answers with and without a trailing slash, for every method."""

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, include, path, re_path
from rest_framework.exceptions import NotFound

from aegis.accounts.access import public
from aegis.accounts.api import Login, Logout, Me, Refresh
from aegis.accounts.user_api import UserDetail, UserLink, UserList
from aegis.audit.api import AuditLogList
from aegis.docs import Docs, Schema
from aegis.lib.api import ID, Endpoint
from catalog.api.defences import DefensiveTechniqueDetail, DefensiveTechniqueList
from catalog.api.rules import DetectionRuleDetail, DetectionRuleList
from catalog.api.techniques import TacticList
from catalog.api.templates import TestTemplateDetail, TestTemplateList
from coverage.api.actors import ThreatActorDetail, ThreatActorList
from coverage.api.campaigns import (
    CampaignArchive,
    CampaignCompare,
    CampaignDetail,
    CampaignList,
    CampaignRetest,
    CampaignTests,
)
from coverage.api.compliance import ConflictList, ControlDetail, ControlList, FrameworkDetail, FrameworkList
from coverage.api.evidence import EvidenceDetail, EvidenceUpload
from coverage.api.figures import (
    MetricsBacklogs,
    MetricsByActor,
    MetricsByFramework,
    MetricsByPlatform,
    MetricsOutcomes,
    MetricsProofAge,
    MetricsTimeToDetect,
)
from coverage.api.gap_owner import TechniqueOwner
from coverage.api.gaps import MetricsGaps
from coverage.api.intel import (
    IntelItemAccept,
    IntelItemDetail,
    IntelItemDismiss,
    IntelItemList,
    IntelItemReopen,
    IntelItemReview,
)
from coverage.api.layers import CoverageLayer, LayerDetail, LayerList
from coverage.api.metrics import MetricsByTactic, MetricsSummary
from coverage.api.next_campaign import MetricsNextCampaign
from coverage.api.oscal import AssessmentResults
from coverage.api.techniques import (
    TechniqueArchive,
    TechniqueDetail,
    TechniqueList,
    TechniqueRestore,
    TechniqueReview,
)
from coverage.api.testing import TestArchive, TestDetail, TestList, TestReject, TestSubmit, TestValidate
from coverage.api.trend import MetricsTrend
from imports.api import (
    DataSourceDetail,
    DataSourceList,
    ImportRunDetail,
    ImportRunList,
    UnresolvedReferenceList,
)
from imports.bundle_api import ExportBundle, ImportBundle
from imports.change_api import AppliedChangeList, ImportChangeList, ImportIssueList
from imports.decision_api import ImportRunAgain, ImportRunApply, ImportRunDiscard, ImportRunUndo
from imports.feeds.api import FeedDetail, FeedList, FeedScanDetail, FeedScanList, RunIntelScan
from imports.system_api import DataSourceSync, ImportRunCancel, SchedulerStatus, SystemSync

# Only what an id can be made of gets as far as the database.
MITRE_ID = r"(?P<mitre_id>[A-Za-z0-9.-]{1,32})"
UUID = r"(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})"
SLUG = r"(?P<slug>[A-Za-z0-9_-]{1,64})"
ID_OR_NAME = r"(?P<id>[0-9]{1,18}|[A-Za-z][A-Za-z0-9-]{0,63})"

SYSTEM_COMMANDS = {
    "sync-mitre": "attack",
    "import-atomic-red-team": "atomic",
    "import-sigma": "sigma",
    "import-elastic-rules": "elastic",
    "import-caldera": "caldera",
    "import-lolbas": "lolbas",
    "import-d3fend": "d3fend",
    "import-threat-actors": "threat-actors",
    "import-compliance": "nist-800-53",
}
"""What ends an address below /system, and the source that is imported there."""


@public
class NoSuchAddress(Endpoint):
    """What answers where there is nothing."""

    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Refuse every method alike. Raises NotFound."""
        raise NotFound("There is nothing at this address: /api/v1/schema lists what there is.")

    def get(self, request: HttpRequest) -> None:
        """Never reached."""


def route(pattern: str, view: type[Endpoint], name: str, **options: Any) -> URLPattern:
    """The view at `pattern`, with or without a trailing slash. `options` are attributes of this one view."""
    return re_path(rf"^{pattern}/?$", view.as_view(**options), name=name)


app_name = "api"
v1 = [
    route("auth/login", Login, "login"),
    route("auth/refresh", Refresh, "refresh"),
    route("auth/logout", Logout, "logout"),
    route("auth/me", Me, "me"),
    route("users", UserList, "user-list"),
    route(f"users/{ID}", UserDetail, "user"),
    route(f"users/{ID}/link", UserLink, "user-link"),
    route("tactics", TacticList, "tactic-list"),
    route("techniques", TechniqueList, "technique-list"),
    route(f"techniques/{MITRE_ID}", TechniqueDetail, "technique"),
    route(f"techniques/{MITRE_ID}/archive", TechniqueArchive, "technique-archive"),
    route(f"techniques/{MITRE_ID}/owner", TechniqueOwner, "technique-owner"),
    route(f"techniques/{MITRE_ID}/restore", TechniqueRestore, "technique-restore"),
    route(f"techniques/{MITRE_ID}/review", TechniqueReview, "technique-review"),
    route("tests", TestList, "test-list"),
    route(f"tests/{ID}", TestDetail, "test"),
    route(f"tests/{ID}/submit", TestSubmit, "test-submit"),
    route(f"tests/{ID}/validate", TestValidate, "test-validate"),
    route(f"tests/{ID}/reject", TestReject, "test-reject"),
    route(f"tests/{ID}/archive", TestArchive, "test-archive"),
    route(f"tests/{ID}/evidence", EvidenceUpload, "test-evidence"),
    route("campaigns", CampaignList, "campaign-list"),
    route(f"campaigns/{ID}", CampaignDetail, "campaign"),
    route(f"campaigns/{ID}/tests", CampaignTests, "campaign-tests"),
    route(f"campaigns/{ID}/retest", CampaignRetest, "campaign-retest"),
    route(f"campaigns/{ID}/compare", CampaignCompare, "campaign-compare"),
    route(f"campaigns/{ID}/archive", CampaignArchive, "campaign-archive"),
    route(f"evidence/{UUID}", EvidenceDetail, "evidence"),
    route(r"layers/coverage\.json", CoverageLayer, "coverage-layer"),
    route("layers", LayerList, "layer-list"),
    route(f"layers/{ID}", LayerDetail, "layer"),
    route("test-templates", TestTemplateList, "template-list"),
    route(f"test-templates/{ID}", TestTemplateDetail, "template"),
    route("detection-rules", DetectionRuleList, "rule-list"),
    route(f"detection-rules/{ID}", DetectionRuleDetail, "rule"),
    route("defensive-techniques", DefensiveTechniqueList, "defence-list"),
    route(f"defensive-techniques/{ID_OR_NAME}", DefensiveTechniqueDetail, "defence"),
    route("threat-actors", ThreatActorList, "actor-list"),
    route(f"threat-actors/{MITRE_ID}", ThreatActorDetail, "actor"),
    route("compliance/frameworks", FrameworkList, "framework-list"),
    route(f"compliance/frameworks/{SLUG}", FrameworkDetail, "framework"),
    route(f"compliance/frameworks/{SLUG}/oscal", AssessmentResults, "framework-oscal"),
    route("compliance/controls", ControlList, "control-list"),
    route("compliance/conflicts", ConflictList, "conflict-list"),
    route(f"compliance/controls/{ID}", ControlDetail, "control"),
    route("data-sources", DataSourceList, "source-list"),
    route(f"data-sources/{ID_OR_NAME}", DataSourceDetail, "source"),
    route(f"data-sources/{ID_OR_NAME}/sync", DataSourceSync, "source-sync"),
    *(route(f"system/{command}", SystemSync, command, slug=slug) for command, slug in SYSTEM_COMMANDS.items()),
    route("system/import-bundle", ImportBundle, "import-bundle"),
    route("system/export-bundle", ExportBundle, "export-bundle"),
    route("system/run-intel-scan", RunIntelScan, "run-intel-scan"),
    route("system/scheduler-status", SchedulerStatus, "scheduler-status"),
    route("feeds", FeedList, "feed-list"),
    route(f"feeds/{ID}", FeedDetail, "feed"),
    route("feed-scans", FeedScanList, "scan-list"),
    route(f"feed-scans/{ID}", FeedScanDetail, "scan"),
    route("intel-items", IntelItemList, "item-list"),
    route(f"intel-items/{ID}", IntelItemDetail, "item"),
    route(f"intel-items/{ID}/accept", IntelItemAccept, "item-accept"),
    route(f"intel-items/{ID}/dismiss", IntelItemDismiss, "item-dismiss"),
    route(f"intel-items/{ID}/reopen", IntelItemReopen, "item-reopen"),
    route(f"intel-items/{ID}/review", IntelItemReview, "item-review"),
    route("import-runs", ImportRunList, "run-list"),
    route(f"import-runs/{ID}", ImportRunDetail, "run"),
    route(f"import-runs/{ID}/cancel", ImportRunCancel, "run-cancel"),
    route(f"import-runs/{ID}/changes", ImportChangeList, "change-list"),
    route(f"import-runs/{ID}/issues", ImportIssueList, "issue-list"),
    route(f"import-runs/{ID}/apply", ImportRunApply, "run-apply"),
    route(f"import-runs/{ID}/preview", ImportRunAgain, "run-again"),
    route(f"import-runs/{ID}/discard", ImportRunDiscard, "run-discard"),
    route(f"import-runs/{ID}/undo", ImportRunUndo, "run-undo"),
    route("import-changes", AppliedChangeList, "applied-change-list"),
    route("audit-logs", AuditLogList, "audit-log-list"),
    route("unresolved-references", UnresolvedReferenceList, "unresolved-reference-list"),
    route("metrics/summary", MetricsSummary, "metrics-summary"),
    route("metrics/by-tactic", MetricsByTactic, "metrics-by-tactic"),
    route("metrics/backlogs", MetricsBacklogs, "metrics-backlogs"),
    route("metrics/by-platform", MetricsByPlatform, "metrics-by-platform"),
    route("metrics/by-actor", MetricsByActor, "metrics-by-actor"),
    route("metrics/by-framework", MetricsByFramework, "metrics-by-framework"),
    route("metrics/time-to-detect", MetricsTimeToDetect, "metrics-time-to-detect"),
    route("metrics/outcomes", MetricsOutcomes, "metrics-outcomes"),
    route("metrics/proof-age", MetricsProofAge, "metrics-proof-age"),
    route("metrics/next-campaign", MetricsNextCampaign, "metrics-next-campaign"),
    route("metrics/trend", MetricsTrend, "metrics-trend"),
    route("metrics/gaps", MetricsGaps, "metrics-gaps"),
    route("schema", Schema, "schema"),
    route("docs", Docs, "docs"),
]
urlpatterns = [path("v1/", include(v1)), re_path("", NoSuchAddress.as_view())]
