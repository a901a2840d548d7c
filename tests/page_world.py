"""Rows of every kind behind the pages, once or twice over, and the address of each page that the routes know."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from aegis.accounts.models import User
from aegis.accounts.tests.factories import make_user
from aegis.accounts.tokens import start_session
from catalog.models import Tactic, Technique
from catalog.tests.factories import (
    SEEN,
    make_defence,
    make_mitigation,
    make_release,
    make_rule,
    make_tactic,
    make_technique,
    make_template,
)
from compliance.tests.factories import make_control
from coverage.models import Campaign
from coverage.services.campaigns import edit_campaign
from coverage.services.evidence import attach_evidence
from coverage.services.gaps import assign_gap
from coverage.services.snapshots import take_snapshot
from coverage.services.techniques import create_technique
from coverage.tests.factories import make_campaign, make_test
from imports.tests.factories import make_change, make_issue, make_run
from intel.models import Feed, FeedScan
from intel.tests.factories import make_actor

ELSEWHERE: Final = ("admin", "api")
"""Namespaces whose pages are not ours (the admin) or no pages (the API)."""

WRITES_ONLY: Final = {
    "accounts:end-api-session",
    "accounts:end-browser-session",
    "accounts:end-other-sessions",
    "accounts:logout",
    "accounts:user-end-api-session",
    "accounts:user-end-browser-session",
    "accounts:user-end-sessions",
    "accounts:user-link",
    "coverage:campaign-archive",
    "coverage:campaign-next-create",
    "coverage:campaign-order",
    "coverage:campaign-retest",
    "coverage:intel-accept",
    "coverage:intel-assign",
    "coverage:intel-dismiss",
    "coverage:intel-note",
    "coverage:intel-reopen",
    "coverage:intel-review",
    "coverage:intel-triage",
    "coverage:layer-delete",
    "coverage:technique-archive",
    "coverage:technique-restore",
    "coverage:technique-review",
    "coverage:test-archive",
    "coverage:test-blue",
    "coverage:test-evidence",
    "coverage:test-red",
    "coverage:test-reject",
    "coverage:test-submit",
    "coverage:test-validate",
    "compliance:framework-switch",
    "coverage:view-delete",
    "coverage:view-rename",
    "coverage:view-save",
    "imports:feed-archive",
    "imports:feed-scan",
    "imports:feed-scan-all",
    "imports:feed-switch",
    "imports:run-cancel",
    "imports:source-schedule",
    "imports:source-sync",
}
"""Routes that answer a form and draw no page."""


def make_pages_world(times: int = 1) -> dict[str, object]:
    """A catalogue with tests, runs and a campaign, `times` over. Returns what stands in addresses, by route argument."""
    make_release()
    for shortname in ("execution", "discovery"):
        if not Tactic.objects.filter(shortname=shortname).exists():
            make_tactic(shortname)
    for number in range(3):
        make_technique(f"T900{number}", tactics=["execution", "discovery"])
        make_technique(f"T900{number}.001")
    by, lead = make_user("red_tech"), make_user("red_lead")
    first: dict[str, object] = {}
    for _ in range(times):
        first = first or _more(by, lead)
        if times > 1:
            _more(by, lead)
    assign_gap(by=lead, technique=Technique.objects.get(mitre_id="T9001"), changes={"owner": by})
    local = create_technique(by=make_user("admin"), mitre_id="T9100", name="Local", tactics=["execution"])
    take_snapshot()
    return first | {"technique-edit": local.mitre_id, "gap-owner": "T9001"}


def _more(by: User, lead: User) -> dict[str, object]:
    template, rule = make_template("T9000"), make_rule("T9000", "T9001", "T9999")
    actor, control, defence = make_actor("T9000", "T9001.001"), make_control("T9000"), make_defence("T9000")
    make_mitigation("T9000")
    campaign = make_campaign("T9000", "T9002", by=lead)
    times = {"started_at": SEEN, "detected_at": SEEN + timedelta(minutes=5)}
    test = make_test("T9000", state="validated", outcome="alerted", by=by, lead=lead, **times)
    make_test("T9001", state="validated", outcome="missed", by=by, lead=lead)
    make_test("T9002", state="in_review", outcome="logged", by=by)
    run = make_run()
    make_change(run)
    make_issue(run)
    feed = Feed.objects.create(name=f"Feed {Feed.objects.count()}", url=f"https://example.org/{Feed.objects.count()}")
    scan = FeedScan.objects.create(trigger="manual", status=FeedScan.Status.SUCCEEDED, is_active=False)
    return {
        "technique": "T9000",
        "template": template.pk,
        "rule": rule.pk,
        "actor": actor.mitre_id,
        "control": control.pk,
        "framework": control.framework_id,
        "defence": defence.d3fend_id,
        "campaign": campaign.pk,
        "test": test.pk,
        "run": run.pk,
        "source": run.source.slug,
        "feed": feed.pk,
        "scan": scan.pk,
        "user": by.pk,
    }


def make_larger(world: dict[str, object]) -> None:
    """More of everything, and more of what stands on the pages of `world`: files, facts and tests, people and logins."""
    by, lead = make_user("red_tech"), make_user("red_lead")
    for _ in range(2):
        _more(by, lead)
    campaign, user = Campaign.objects.get(pk=world["campaign"]), User.objects.get(pk=world["user"])
    draft = make_test("T9000", by=user, outcome="logged", campaign=campaign)
    for side in ("red", "blue"):
        for number in range(3):
            attach_evidence(by=user, test=draft, side=side, file=io.BytesIO(b"seen"), name=f"{number}.txt")
    edit_campaign(by=lead, campaign=campaign, changes={}, participants=[by, lead, user])
    for _ in range(3):
        start_session(user)


def page_routes() -> dict[str, tuple[str, ...]]:
    """The names of all routes of ours, "app:name", each with the arguments that it takes."""
    return dict(_routes(get_resolver().url_patterns, ""))


def _routes(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace not in ELSEWHERE:
                space = f"{pattern.namespace}:" if pattern.namespace else ""
                yield from _routes(pattern.url_patterns, prefix + space)
        elif pattern.name:
            yield prefix + pattern.name, tuple(pattern.pattern.regex.groupindex)


def page_addresses(world: dict[str, object]) -> dict[str, str]:
    """The address of each route that can be asked for with GET, and that the world has a row for if it takes an argument."""
    found: dict[str, str] = {}
    for route, names in page_routes().items():
        name = route.rpartition(":")[2]
        kind = name if name in world else name.partition("-")[0]
        if route in WRITES_ONLY:
            continue
        if not names:
            found[route] = reverse(route)
        elif len(names) == 1 and kind in world:
            found[route] = reverse(route, kwargs={names[0]: world[kind]})
    return found


def is_page(answer: HttpResponse) -> bool:
    """Whether an answer is a page for people. A file is read to its end, which closes it."""
    if answer.streaming:
        b"".join(answer)
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
