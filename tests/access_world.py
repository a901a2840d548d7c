"""Who knocks at every door in the access matrix, on which object, and with what in hand.

`SUBJECTS` says which row stands for the `{...}` of a route, `BODIES` what a write sends. A new route needs a line there only if
its path has parameters, or if an empty body would not get as far as the answer that the matrix promises.
"""

import io
import re
from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any, Final
from uuid import uuid4

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, SolarSchedule

from aegis.accounts.models import User
from aegis.accounts.policy import ROLES, Role
from aegis.accounts.services import issue_link
from aegis.accounts.tests.factories import PASSWORD, make_user
from aegis.accounts.tokens import start_session
from catalog.models import DefensiveTechnique, DetectionRule, Technique, TestTemplate
from catalog.tests.factories import SEEN
from compliance.models import ComplianceControl, ComplianceFramework
from coverage.evidence.downloads import ticket_path
from coverage.models import Campaign, Layer, SavedView, Test
from coverage.services.campaigns import create_campaign
from coverage.services.creation import create_test
from coverage.services.decisions import submit_test
from coverage.services.evidence import attach_evidence
from coverage.services.gaps import assign_gap
from coverage.services.recording import Fact, set_outcomes
from coverage.services.snapshots import take_snapshot
from coverage.services.techniques import create_technique
from imports.engine import importer_fingerprint
from imports.models import DataSource, ImportRun, Worker
from imports.tests.factories import make_issue, make_run
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, FeedScan, IntelFlag, IntelItem, Mention, ThreatActor

VISITORS: Final = (*(role.value for role in ROLES), "anonymous", "inactive")
OTHERS, OWN, SHARED = "other's", "own", "shared"
STRANGER: Final = "stranger"
PARAMETER: Final = re.compile(r"\{[^}]*\}")
MITRE_ID: Final = "T1059.001"
LOCAL_ID: Final = "T9001"
LAYER: Final = (
    b'{"name": "Seen", "versions": {"attack": "18", "navigator": "5.1", "layer": "4.5"}, "domain": "enterprise-attack",'
    b' "techniques": [{"techniqueID": "T1059", "score": 1}]}'
)

Subject = Callable[["World", str, str], Any]
Body = Callable[["World", str, Any], dict[str, Any]]


class World:
    """The sample catalogue, a user of every kind, and tests, campaigns and evidence of each of them.

    Everybody has an own test in every state, whatever their role: people change roles, and their work stays theirs. The
    inactive user is an admin who was switched off.
    """

    draws = True
    """Whether pages are drawn: a test may look at the status alone (test_access_doors.py)."""

    def __init__(self) -> None:
        call_command(
            "import_source", all=True, mirror=str(SAMPLES), json=True, stdout=io.StringIO(), stderr=io.StringIO()
        )
        make_issue(ImportRun.objects.earliest("pk"))
        self.shown = make_run(
            DataSource.objects.get(slug="caldera"),
            dry_run=True,
            importer=importer_fingerprint(),
            started_at=timezone.now(),
        )
        self.applied = make_run(DataSource.objects.get(slug="lolbas"))
        self.waiting = make_run(DataSource.objects.get(slug="d3fend"), status=ImportRun.Status.QUEUED, finished_at=None)
        self._news_and_schedules()
        self.users = {name: make_user(Role.ADMIN, username=name) for name in VISITORS if name != "anonymous"}
        self.stranger = make_user(Role.ADMIN, username=STRANGER)
        create_technique(by=self.stranger, mitre_id=LOCAL_ID, name="Local", tactics=["execution"])
        self.rows = {name: self._work(user) for name, user in self.users.items()}
        self.rows["anonymous"] = self.others = self._work(self.stranger)
        self.sessions = {user.username: self._log_in(user) for user in (*self.users.values(), self.stranger)}
        self.sessions["anonymous"] = self.sessions[STRANGER]
        for role in ROLES:
            User.objects.filter(username=role).update(role=role)
        User.objects.filter(username="inactive").update(is_active=False)
        gap = Technique.objects.active().exclude(mitre_id__in=[MITRE_ID, LOCAL_ID]).earliest("pk")
        assign_gap(by=self.stranger, technique=gap, changes={"owner": User.objects.get(username="blue_tech")})
        set_outcomes(by=self.stranger, test=self.others.draft, facts=[Fact(kind="alerted")])
        self.others.draft.refresh_from_db()
        take_snapshot()
        self.link = issue_link(user=self.stranger, by=None)
        self.client = Client(raise_request_exception=False)

    def row(self, kind: str, visitor: str, whose: str) -> Any:
        """A row of `kind` that is the visitor's own, shared with them, or somebody else's."""
        if whose == SHARED:
            return getattr(self.rows[visitor], f"shared_{kind}")
        return getattr(self.rows[visitor] if whose == OWN else self.others, kind)

    def _news_and_schedules(self) -> None:
        self.feed = Feed.objects.create(name="News", url="https://www.cisa.gov/news.xml")
        self.scan = FeedScan.objects.create(status=FeedScan.Status.SUCCEEDED, is_active=False)
        self.item = item = IntelItem.objects.create(
            feed=self.feed, guid="1", title="News", at=SEEN, first_seen_at=SEEN, changed_at=SEEN
        )
        Mention.objects.create(
            item=item, kind="technique", key=MITRE_ID, text=MITRE_ID, start=0, end=9, confidence=1, confident=True
        )
        IntelFlag.objects.create(item=item, technique=MITRE_ID, at=SEEN)
        CrontabSchedule.objects.create()
        ClockedSchedule.objects.create(clocked_time=SEEN)
        SolarSchedule.objects.create(event="sunrise", latitude=0, longitude=0)
        Worker.objects.create(name="worker@here", heard_at=SEEN)

    def _work(self, user: User) -> SimpleNamespace:
        plan = create_campaign(by=self.stranger, name=f"With {user}", participants=[user])
        work = SimpleNamespace(campaign=create_campaign(by=user, name=f"By {user}"), user=user)
        for name, by, campaign in (("", user, None), ("shared_", self.stranger, plan)):
            draft = self._draft(by, campaign)
            evidence = attach_evidence(by=by, test=draft, side="red", file=io.BytesIO(b"seen"), name="log.txt")
            in_review = submit_test(by=by, test=self._draft(by, campaign))
            layer = Layer.objects.create(name="Seen", uploaded_by=by, is_shared=bool(name), layer_version="4.5")
            view = SavedView.objects.create(user=by, name=f"{name}{user}", query="show=claimed")
            rows = {"draft": Test.objects.get(pk=draft.pk), "in_review": in_review, "evidence": evidence}
            rows |= {"layer": layer, "view": view}
            vars(work).update({f"{name}{kind}": row for kind, row in rows.items()})
        return work

    def _draft(self, by: User, campaign: Campaign | None) -> Test:
        template = TestTemplate.objects.filter(technique=MITRE_ID).earliest("pk")
        return create_test(by=by, template=template, campaign=campaign)

    def _log_in(self, user: User) -> SimpleNamespace:
        browser = Client()
        browser.force_login(user)
        tokens = start_session(user)
        return SimpleNamespace(
            cookies=browser.cookies.output(header="", sep=";"),
            tokens=tokens,
            browser=user.browser_sessions.get(),
            api=user.api_sessions.get(),
        )

    def ask(self, method: str, route: str, visitor: str, whose: str) -> str:
        """What the visitor gets: the status, or `login` where they are sent to the login page."""
        subject = self.subject(route, visitor, whose)
        path = PARAMETER.sub("{}", route).format(*subject)
        body = BODIES.get(f"{method} {PARAMETER.sub('{}', route)}") or BODIES.get(f"{method} {bare(route)}")
        data = body(self, visitor, subject[0] if subject else None) if body else {}
        is_api = route.startswith("/api/")
        self.client.cookies = SimpleCookie()
        headers = {}
        if is_api and visitor != "anonymous":
            headers = {"Authorization": f"Bearer {self.sessions[visitor].tokens['access_token']}"}
        elif visitor != "anonymous":
            self.client.cookies.load(self.sessions[visitor].cookies)
        sends = getattr(self.client, method.lower())
        as_json = is_api and "file" not in data and method not in {"GET", "HEAD"}
        kind = {"content_type": "application/json"} if as_json else {}
        response = sends(path, data, headers=headers, **kind)
        b"".join(response)  # a file is closed when it is read
        if response.status_code == 302 and response["Location"].startswith("/accounts/login?"):
            return "login"
        return str(response.status_code)

    def subject(self, route: str, visitor: str, whose: str) -> tuple[Any, ...]:
        if "{" not in route:
            return ()
        if admin_page := re.match(r"/admin/(\w+)/(\w+)/\{", route):
            return (Named(apps.get_model(*admin_page.groups())._default_manager.order_by("pk").first()),)
        found = next(
            (subject for start, subject in SUBJECTS.items() if f"{bare(route)}/".startswith(f"{start}/")), None
        )
        assert found, f"tests/access_world.py: SUBJECTS does not say what {{...}} is in {route}"
        rows = found(self, visitor, whose)
        return tuple(Named(row) for row in (rows if isinstance(rows, tuple) else (rows,)))


class Named:
    """A row that prints as its id."""

    def __init__(self, row: Any) -> None:
        self.row = row

    def __format__(self, _spec: str) -> str:
        return str(getattr(self.row, "pk", self.row))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


def bare(route: str) -> str:
    """A route without the prefix of the API, each parameter as {}: what pages and API have in common."""
    return PARAMETER.sub("{}", route.removeprefix("/api/v1"))


def _of(kind: str) -> Subject:
    return lambda world, visitor, whose: world.row(kind, visitor, whose)


def _first(model: Any, **filters: Any) -> Subject:
    return lambda *_: model.objects.filter(**filters).earliest("pk")


def _session(kind: str) -> Subject:
    return lambda world, visitor, whose: getattr(world.sessions[visitor if whose == OWN else STRANGER], kind)


def _login_of(kind: str) -> Subject:
    return lambda world, visitor, whose: (_of("user")(world, visitor, whose), _session(kind)(world, visitor, whose))


def _ticket(world: World, visitor: str, whose: str) -> tuple[str, str]:
    evidence = world.row("evidence", visitor, whose)
    _, _, pk, ticket = ticket_path(evidence, world.users["viewer"]).split("/")
    return pk, ticket


# The longest start of a route comes first.
SUBJECTS: Final[Mapping[str, Subject]] = {
    "/accounts/api-sessions/{}": _session("api"),
    "/accounts/link/{}": lambda world, *_: world.link,
    "/accounts/sessions/{}": _session("browser"),
    "/actors/{}": lambda *_: ThreatActor.objects.earliest("pk").mitre_id,
    "/admin/r/{}/{}": lambda *_: (
        ContentType.objects.get_for_model(DetectionRule),
        DetectionRule.objects.earliest("pk"),
    ),
    "/admin/{}/": lambda *_: "catalog",
    "/admin/{}": lambda *_: "no-such-page/",
    "/campaigns/{}": _of("campaign"),
    "/compliance/controls/{}": _first(ComplianceControl),
    "/compliance/frameworks/{}": lambda *_: ComplianceFramework.objects.earliest("pk").slug,
    "/data-sources/{}": lambda *_: "sigma",
    "/defences/{}": lambda *_: DefensiveTechnique.objects.earliest("pk").d3fend_id,
    "/defensive-techniques/{}": _first(DefensiveTechnique),
    "/detection-rules/{}": _first(DetectionRule),
    "/evidence/{}/{}": _ticket,
    "/evidence/{}": _of("evidence"),
    "/feed-scans/{}": lambda world, *_: world.scan,
    "/feeds/scans/{}": lambda world, *_: world.scan,
    "/feeds/{}": lambda world, *_: world.feed,
    "/import-runs/{}/apply": lambda world, *_: world.shown,
    "/import-runs/{}/discard": lambda world, *_: world.shown,
    "/import-runs/{}/undo": lambda world, *_: world.applied,
    "/import-runs/{}/cancel": lambda world, *_: world.waiting,
    "/import-runs/{}": _first(ImportRun),
    "/intel-items/{}": lambda world, *_: world.item,
    "/intel/{}": lambda world, *_: world.item,
    "/layers/{}": _of("layer"),
    "/matrix/views/{}": _of("view"),
    "/rules/{}": _first(DetectionRule),
    "/runs/{}/apply": lambda world, *_: world.shown,
    "/runs/{}/discard": lambda world, *_: world.shown,
    "/runs/{}/undo": lambda world, *_: world.applied,
    "/runs/{}/cancel": lambda world, *_: world.waiting,
    "/runs/{}": _first(ImportRun),
    "/sources/{}": lambda *_: DataSource.objects.get(slug="sigma").slug,
    "/techniques/{}": lambda world, _visitor, whose: LOCAL_ID if whose == OWN else MITRE_ID,
    "/templates/{}": _first(TestTemplate),
    "/test-templates/{}": _first(TestTemplate),
    "/tests/{}/validate": _of("in_review"),
    "/tests/{}/reject": _of("in_review"),
    "/tests/{}": _of("draft"),
    "/threat-actors/{}": lambda *_: ThreatActor.objects.earliest("pk").mitre_id,
    "/users/{}/api-sessions/{}": _login_of("api"),
    "/users/{}/sessions/{}": _login_of("browser"),
    "/users/{}": _of("user"),
}


def _version(_world: World, _visitor: str, test: Any) -> dict[str, Any]:
    return {"version": test.version}


def _reason(_world: World, _visitor: str, test: Any) -> dict[str, Any]:
    return {"version": test.version, "note": "The log is cut off."}


def _passwords(_world: World, _visitor: str, _row: Any) -> dict[str, Any]:
    new = dict.fromkeys(("new_password1", "new_password2"), "a new password of the tests")
    return {"current_password": PASSWORD, **new}


def _refresh(world: World, visitor: str, _row: Any) -> dict[str, Any]:
    return {"refresh_token": world.sessions[visitor].tokens["refresh_token"]}


def _fixed(**data: Any) -> Body:
    return lambda *_: data


def _login(world: World, visitor: str, _row: Any) -> dict[str, Any]:
    return {"username": STRANGER if visitor == "anonymous" else visitor, "password": PASSWORD}


# "METHOD route", parameters as {}; without /api/v1 it is for a page and for its twin in the API, if that has none of its own.
BODIES: Final[Mapping[str, Body]] = {
    "POST /accounts/confirm": _fixed(current_password=PASSWORD),
    "POST /accounts/link/{}": _passwords,
    "POST /accounts/login": _login,
    "POST /accounts/password": _passwords,
    "POST /auth/login": _login,
    "POST /auth/refresh": _refresh,
    "GET /campaigns/{}/compare": lambda world, *_: {"with": world.others.campaign.pk},
    "POST /campaigns": _fixed(name="New", techniques=[MITRE_ID]),
    "POST /campaigns/new": _fixed(name="New", techniques=MITRE_ID),
    "POST /campaigns/{}/add": _fixed(techniques=MITRE_ID),
    "POST /campaigns/{}/edit": _fixed(name="Other"),
    "POST /campaigns/{}/tests": _fixed(techniques=[MITRE_ID]),
    "PATCH /campaigns/{}": _fixed(goal="See whether we would notice."),
    "POST /techniques": _fixed(mitre_id="T9002", name="New", tactics=["execution"]),
    "POST /techniques/new": _fixed(mitre_id="T9002", name="New", tactics=["execution"]),
    "POST /techniques/{}/edit": _fixed(name="Other", tactics=["execution"]),
    "PATCH /api/v1/techniques/{}": _fixed(name="Other"),
    "POST /tests": _fixed(technique=MITRE_ID, name="New"),
    "POST /tests/new": _fixed(technique=MITRE_ID, name="New"),
    "PATCH /compliance/frameworks/{}": _fixed(switched_on=False),
    "POST /compliance/frameworks/{}/switch": _fixed(on=""),
    "PATCH /data-sources/{}": _fixed(enabled=False),
    "POST /admin/accounts/user/{}/change/": _fixed(email="new@example.org"),
    "PATCH /feeds/{}": _fixed(name="Other news"),
    "POST /feeds": _fixed(name="More", url="https://www.cisa.gov/more.xml"),
    "PATCH /intel-items/{}": _fixed(note="Worth a look."),
    "POST /intel-items/{}/review": _fixed(technique=MITRE_ID),
    "POST /feeds/new": _fixed(name="More", url="https://www.cisa.gov/more.xml", kind="rss", every_hours=24),
    "POST /feeds/{}": _fixed(name="News", url="https://www.cisa.gov/news.xml", kind="rss", every_hours=24),
    "POST /layers": lambda *_: {"file": SimpleUploadedFile("layer.json", LAYER)},
    "POST /layers/new": lambda *_: {"file": SimpleUploadedFile("layer.json", LAYER), "purpose": "overlay"},
    "POST /matrix/views/save": _fixed(name="New", query="show=claimed"),
    "POST /matrix/views/{}/rename": _fixed(name="New"),
    "PATCH /tests/{}": _fixed(target="WS-0042"),
    "POST /tests/{}/archive": _version,
    "POST /tests/{}/blue": lambda world, visitor, test: {
        "version": test.version,
        "expected_outcome": "alerted",
        "blue_notes": "Seen.",
        "facts-TOTAL_FORMS": 0,
        "facts-INITIAL_FORMS": 0,
    },
    "POST /api/v1/tests/{}/evidence": lambda *_: {"file": SimpleUploadedFile("one.txt", b"seen")},
    "POST /api/v1/tests/{}/reject": _fixed(reason="The log is cut off."),
    "POST /tests/{}/evidence": lambda *_: {"side": "red", "files": SimpleUploadedFile("one.txt", b"seen")},
    "POST /tests/{}/red": lambda world, visitor, test: {
        "version": test.version,
        "name": test.name,
        "target": "WS-0042",
    },
    "POST /tests/{}/refill": _version,
    "POST /tests/{}/reject": _reason,
    "POST /tests/{}/submit": _version,
    "POST /tests/{}/validate": _version,
    "POST /users": lambda *_: {"username": f"new-{uuid4().hex[:8]}", "role": "viewer"},
    "POST /users/new": lambda *_: {"username": f"new-{uuid4().hex[:8]}", "role": "viewer"},
    "POST /users/{}": lambda world, visitor, user: {"role": Role.VIEWER, "is_active": "on"},
    "PATCH /techniques/{}/owner": _fixed(owner="blue_tech", due_on="2100-01-31"),
    "PATCH /users/{}": _fixed(role=Role.VIEWER),
}
