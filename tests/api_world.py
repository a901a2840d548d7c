"""A small catalogue behind the API, with one address for each of its routes."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from catalog.tests.factories import (
    make_defence,
    make_mitigation,
    make_release,
    make_rule,
    make_technique,
    make_template,
)
from compliance.tests.factories import make_control
from coverage.services.snapshots import take_snapshot
from coverage.tests.factories import make_test
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
READS: Final = LISTS + DETAILS
WRITES: Final = ("auth/login", "auth/refresh", "auth/logout")


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
    """Rows of every kind, two of each where there are lists. Returns the address of each of `READS` and `WRITES`."""
    make_release()
    make_technique("T1059")
    make_technique("T1059.001")
    template, _ = make_template("T1059.001"), make_template("T9999", source="caldera")
    rule, _ = make_rule("T1059", "T9999"), make_rule("T1059.001", source="elastic")
    defence, _ = make_defence(), make_defence("T1059.001")
    actor, _ = make_actor(), make_actor("T1059.001", "T1059")
    control, _ = make_control(), make_control("T1059.001")
    make_mitigation()
    make_test("T1059.001", state="validated", outcome="missed")
    take_snapshot()
    run = make_run()
    for _ in range(2):
        make_change(run)
        make_issue(run)
    _ = make_item("T1059"), make_item("T1059.001", actors=(actor.mitre_id,))
    scan, _ = (FeedScan.objects.create(is_active=False, status="succeeded") for _ in range(2))
    ids = {
        "techniques/{mitre_id}": "techniques/T1059",
        "test-templates/{id}": f"test-templates/{template.pk}",
        "detection-rules/{id}": f"detection-rules/{rule.pk}",
        "defensive-techniques/{id}": f"defensive-techniques/{defence.d3fend_id}",
        "threat-actors/{mitre_id}": f"threat-actors/{actor.mitre_id}",
        "compliance/controls/{id}": f"compliance/controls/{control.pk}",
        "compliance/frameworks/{slug}": f"compliance/frameworks/{control.framework_id}",
        "data-sources/{id}": "data-sources/sigma",
        "feed-scans/{id}": f"feed-scans/{scan.pk}",
        "import-runs/{id}": f"import-runs/{run.pk}",
        "import-runs/{id}/changes": f"import-runs/{run.pk}/changes",
        "import-runs/{id}/issues": f"import-runs/{run.pk}/issues",
    }
    return {route: f"/api/v1/{ids.get(route, route)}" for route in READS + WRITES}
