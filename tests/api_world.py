"""A small catalogue behind the API, with one address for each of its routes."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from aegis.api import SYSTEM_COMMANDS
from catalog.tests.factories import (
    make_defence,
    make_mitigation,
    make_release,
    make_rule,
    make_technique,
    make_template,
)
from compliance.tests.factories import make_control
from coverage.models import Evidence
from coverage.services.snapshots import take_snapshot
from coverage.tests.factories import make_campaign, make_layer, make_test
from imports.tests.factories import make_change, make_issue, make_run
from intel.models import FeedScan
from intel.tests.factories import make_actor, make_item

LISTS: Final = (
    "tactics",
    "techniques",
    "test-templates",
    "detection-rules",
    "defensive-techniques",
    "threat-actors",
    "compliance/frameworks",
    "compliance/controls",
    "compliance/conflicts",
    "data-sources",
    "import-runs",
    "import-runs/{id}/changes",
    "import-runs/{id}/issues",
    "import-changes",
    "feed-scans",
    "intel-items",
    "unresolved-references",
    "tests",
    "campaigns",
    "layers",
    "feeds",
    "users",
    "audit-logs",
)
DETAILS: Final = (
    "techniques/{mitre_id}",
    "test-templates/{id}",
    "detection-rules/{id}",
    "defensive-techniques/{id}",
    "threat-actors/{mitre_id}",
    "compliance/frameworks/{slug}",
    "compliance/controls/{id}",
    "data-sources/{id}",
    "import-runs/{id}",
    "feed-scans/{id}",
    "intel-items/{id}",
    "feeds/{id}",
    "tests/{id}",
    "evidence/{id}",
    "campaigns/{id}",
    "campaigns/{id}/compare",
    "layers/{id}",
    r"layers/coverage\.json",
    "compliance/frameworks/{slug}/oscal",
    "users/{id}",
    "system/scheduler-status",
    "metrics/summary",
    "metrics/by-tactic",
    "metrics/backlogs",
    "metrics/by-platform",
    "metrics/by-actor",
    "metrics/by-framework",
    "metrics/time-to-detect",
    "metrics/outcomes",
    "metrics/proof-age",
    "metrics/next-campaign",
    "metrics/trend",
    "metrics/gaps",
    "auth/me",
    "schema",
)
PARAMETER: Final = re.compile(r"\{[^}]*\}")
READS: Final = LISTS + DETAILS
WRITES: Final = ("auth/login", "auth/refresh", "auth/logout")
MOVES: Final = (
    *(f"techniques/{{mitre_id}}/{move}" for move in ("archive", "restore", "owner", "review")),
    *(f"tests/{{id}}/{move}" for move in ("submit", "validate", "reject", "archive", "evidence")),
    *(f"campaigns/{{id}}/{move}" for move in ("tests", "retest", "archive")),
    *(f"intel-items/{{id}}/{move}" for move in ("accept", "dismiss", "reopen", "review")),
    *(f"import-runs/{{id}}/{move}" for move in ("apply", "cancel", "discard", "preview", "undo")),
    "data-sources/{id}/sync",
    "users/{id}/link",
    "system/run-intel-scan",
    "system/export-bundle",
    "system/import-bundle",
    *(f"system/{command}" for command in SYSTEM_COMMANDS),
)
"""What changes something and shows nothing: there is no GET."""
FOR_ADMINS: Final = frozenset({"users", "users/{id}", "audit-logs", "system/scheduler-status"})
OTHERWISE: Final = {"campaigns/{id}/compare": 400}
"""What reads answer that ask for more than their address: with which campaign."""
ROUTES: Final = READS + MOVES + WRITES


def over(routes: Iterable[str]) -> Callable[[Callable[[dict[str, str], str], None]], Callable[..., None]]:
    """`@over(LISTS) def test_...(world, route)`: the test for each route, all in one world, which takes longer to make than to
    ask. Each route passes or fails by itself.
    """

    def decorate(test: Callable[[dict[str, str], str], None]) -> Callable[..., None]:
        def all_in_one_world(world: dict[str, str], subtests: Any) -> None:
            for route in routes:
                with subtests.test(route):
                    test(world, route)

        all_in_one_world.__doc__ = test.__doc__
        return all_in_one_world

    return decorate


def make_world() -> dict[str, str]:
    """Rows of every kind, two of each where there are lists. Returns the address of each of `ROUTES`."""
    make_release()
    make_technique("T1059")
    make_technique("T1059.001")
    template, _ = make_template("T1059.001"), make_template("T9999", source="caldera")
    rule, _ = make_rule("T1059", "T9999"), make_rule("T1059.001", source="elastic")
    defence, _ = make_defence(), make_defence("T1059.001")
    actor, _ = make_actor(), make_actor("T1059.001", "T1059")
    control, _ = make_control(), make_control("T1059.001")
    make_mitigation()
    test = make_test("T1059.001", state="validated", outcome="missed")
    campaign, _ = make_campaign("T1059"), make_campaign()
    layer, _ = (make_layer(test.created_by, "T1059", is_shared=True) for _ in range(2))
    about = {"side": "red", "original_name": "a.log", "key": "ev/1", "size": 1, "sha256": "0" * 64}
    evidence = Evidence.objects.create(test=test, uploaded_by=test.created_by, **about)
    take_snapshot()
    run = make_run()
    for _ in range(2):
        make_change(run)
        make_issue(run)
    item, _ = make_item("T1059"), make_item("T1059.001", actors=(actor.mitre_id,))
    scan, _ = (FeedScan.objects.create(is_active=False, status="succeeded") for _ in range(2))
    rows = {
        "campaigns": campaign,
        "evidence": evidence,
        "feeds": item.feed,
        "intel-items": item,
        "layers": layer,
        "tests": test,
        "users": test.created_by,
    }
    ids = {
        "compliance/controls": control.pk,
        "compliance/frameworks": control.framework_id,
        "data-sources": "sigma",
        "defensive-techniques": defence.d3fend_id,
        "detection-rules": rule.pk,
        "feed-scans": scan.pk,
        "import-runs": run.pk,
        "techniques": "T1059",
        "test-templates": template.pk,
        "threat-actors": actor.mitre_id,
        **{kind: row.pk for kind, row in rows.items()},
    }
    return {route: address(route, ids.get(route.partition("/{")[0], "")) for route in ROUTES}


def address(route: str, row: object) -> str:
    """Where a route leads with this for its `{...}`."""
    return "/api/v1/" + PARAMETER.sub(str(row), route).replace("\\", "")
