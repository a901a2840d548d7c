"""What clients of the API were told, while the server was killed under their hands: the ledger that the database is held to."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from random import Random
from typing import Any, Final
from uuid import UUID

from coverage.testing.outcomes import Sighting
from coverage.tests.big_uploads import BOUNDARY
from coverage.tests.killed_server import Answer, Broken, Line

MOST_TRIES: Final = 100
TECHNIQUES: Final = tuple(f"T{1001 + number}" for number in range(12))
WAITING: Final = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}


class Astray(Exception):
    """The server said something that it never should. The message is for the report."""


@dataclass(slots=True)
class Work:
    """A test: who made it, what its last answer said and to whom, and everything of it that was acknowledged, in order."""

    author: str
    body: dict[str, Any]
    reader: str
    story: list[str] = field(default_factory=lambda: ["test.created"])

    @property
    def pk(self) -> int:
        """Its number."""
        return int(self.body["id"])


@dataclass(frozen=True, slots=True)
class Creation:
    """A creation that was acknowledged: what was sent with which key, and the answer."""

    user: str
    path: str
    body: Mapping[str, Any]
    key: str
    answer: Any


@dataclass(slots=True)
class Ledger:
    """What one client was told. `planned` are tests that came with a campaign: each campaign's, by number."""

    works: list[Work] = field(default_factory=list)
    creations: list[Creation] = field(default_factory=list)
    campaigns: dict[int, dict[str, Any]] = field(default_factory=dict)
    planned: dict[int, list[int]] = field(default_factory=dict)
    techniques: list[str] = field(default_factory=list)
    acknowledged: int = 0
    heard_late: int = 0
    faults: list[str] = field(default_factory=list)


class Client:
    """A program that works in the name of several people, one thing after the other. What it makes it alone goes on with."""

    def __init__(self, number: int, seed: int, port: int, tokens: Mapping[str, str]) -> None:
        self.number, self.chance, self.tokens = number, Random(f"{seed} {number}"), tokens
        self.line, self.ledger, self._made = Line(port), Ledger(), 0

    def work_until(self, is_enough: Callable[[], bool]) -> Ledger:
        """Do one thing after the other until there is enough, or something goes astray. Returns the ledger."""
        try:
            while not is_enough():
                self.step()
        except Astray as fault:
            self.ledger.faults.append(str(fault))
        return self.ledger

    def step(self) -> None:
        """One thing, by chance, as far as there is something to do it to."""
        doing = self.chance.choices(list(STEPS), list(STEPS.values()))[0]
        doing(self)
        self.ledger.acknowledged += 1

    def someone(self, role: str) -> str:
        """Somebody of that role."""
        return self.chance.choice([name for name in sorted(self.tokens) if name.startswith(role)])

    def name(self) -> str:
        """A name that is given once."""
        self._made += 1
        return f"{self.number}-{self._made}"

    def one_in(self, *states: str) -> Work | None:
        """A test of its own in one of these states."""
        found = [work for work in self.ledger.works if work.body["state"] in states and not work.body["archived_at"]]
        return self.chance.choice(found) if found else None

    # What is sent.

    def ask(self, user: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The answer to JSON, whenever the server can give one. Raises Broken."""
        data = None if body is None else json.dumps(body).encode()
        return self.send(user, method, path, data, {"Content-Type": "application/json", **headers})

    def send(self, user: str, method: str, path: str, data: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer to these bytes, after a moment if the server asks for one. Raises Broken, and Astray for 5xx."""
        own = {"Authorization": f"Bearer {self.tokens[user]}", **headers}
        answer = self.line.ask(method, f"/api/v1/{path}", data, own)
        for _ in range(MOST_TRIES):
            if answer.status not in WAITING:
                break
            time.sleep(0.2)
            answer = self.line.ask(method, f"/api/v1/{path}", data, own)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Astray(f"{method} {path}: {answer.status} {answer.body}")
        return answer

    def create(self, user: str, path: str, body: Mapping[str, Any]) -> Any:
        """What was created, once, however often it had to be sent. Raises Astray."""
        key = str(UUID(int=self.chance.getrandbits(128)))
        answer = self.ask_with(key, user, path, body)
        if answer.status != HTTPStatus.CREATED:
            raise Astray(f"POST {path}: {answer.status} {answer.body}")
        self.ledger.heard_late += "Idempotency-Replayed" in answer.headers
        self.ledger.creations.append(Creation(user, path, body, key, answer.body))
        return answer.body

    def ask_with(self, key: str, user: str, path: str, body: Mapping[str, Any]) -> Answer:
        """The answer to a creation with this key, which is sent until there is one. Raises Astray."""
        for _ in range(MOST_TRIES):
            with suppress(Broken):
                return self.ask(user, "POST", path, body, **{"Idempotency-Key": key})
        raise Astray(f"POST {path}: no answer")

    def look(self, user: str, work: Work) -> dict[str, Any]:
        """The test as it stands. Raises Astray."""
        for _ in range(MOST_TRIES):
            try:
                answer = self.ask(user, "GET", f"tests/{work.pk}")
            except Broken:
                continue
            if answer.status == HTTPStatus.OK:
                return dict(answer.body)
            break
        raise Astray(f"GET tests/{work.pk}: an acknowledged test is not there")

    def write(
        self, work: Work, user: str, verb: str, send: Callable[[], Answer], is_done: Callable[[dict[str, Any]], bool]
    ) -> None:
        """Write to a test: sent again until it is answered, or until a look shows that it is done. Raises Astray."""
        work.body, work.reader = self._written(work, user, verb, send, is_done), user
        work.story.append(f"test.{verb}")

    def _written(
        self, work: Work, user: str, verb: str, send: Callable[[], Answer], is_done: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        is_unsure = False
        for _ in range(MOST_TRIES):
            try:
                answer = send()
            except Broken:
                is_unsure = True
                time.sleep(0.1)  # what a killed process had sent to be committed is committed by now
            else:
                if answer.status == HTTPStatus.OK:
                    return dict(answer.body)
                if answer.status == HTTPStatus.CREATED:
                    return self.look(user, work)
                if not is_unsure:
                    raise Astray(f"test {work.pk}, {verb}: {answer.status} {answer.body}")
            if is_done(standing := self.look(user, work)):
                self.ledger.heard_late += 1
                return standing
        raise Astray(f"test {work.pk}, {verb}: no answer")

    def move(self, work: Work, user: str, verb: str, method: str, ending: str, body: Mapping[str, Any]) -> None:
        """Change or move a test from the version that was seen to the next. Raises Astray."""
        seen = work.body["version"]
        self.write(
            work,
            user,
            verb,
            lambda: self.ask(user, method, f"tests/{work.pk}{ending}", body, **{"If-Match": f'"{seen}"'}),
            lambda standing: standing["version"] == seen + 1 and standing["updated_by"] == user,
        )

    # What is done.

    def draft(self) -> None:
        """A new test."""
        author = self.someone("red_tech")
        body = {"technique": self.chance.choice(TECHNIQUES), "name": self.name(), "commands": "whoami\n"}
        self.ledger.works.append(Work(author, self.create(author, "tests", body), author))

    def edit(self) -> None:
        """Another target for a test that is open."""
        if work := self.one_in("draft", "rejected"):
            self.move(work, work.author, "edited", "PATCH", "", {"target": self.name(), "procedure": "Run it."})
        else:
            self.draft()

    def observe(self) -> None:
        """What blue saw of it."""
        if work := self.one_in("draft", "rejected"):
            facts = [{"kind": self.chance.choice(Sighting.values), "tool": self.name(), "note": "In the console."}]
            self.move(work, self.someone("blue_tech"), "edited", "PATCH", "", {"outcomes": facts})
        else:
            self.draft()

    def submit(self) -> None:
        """A draft handed in."""
        if work := self.one_in("draft"):
            self.move(work, work.author, "submitted", "POST", "/submit", {})
        else:
            self.draft()

    def decide(self) -> None:
        """A decision of somebody who had no hand in it, with a word why."""
        if work := self.one_in("in_review"):
            lead = self.someone("red_lead")
            if self.chance.random() < 0.7:
                self.move(work, lead, "validated", "POST", "/validate", {"note": f"Seen {self.name()}."})
            else:
                self.move(work, lead, "rejected", "POST", "/reject", {"reason": f"Not seen {self.name()}."})
        else:
            self.submit()

    def archive(self) -> None:
        """A decided test put away."""
        if work := self.one_in("validated"):
            self.move(work, self.someone("blue_lead"), "archived", "POST", "/archive", {"note": "Done with."})
        else:
            self.decide()

    def give_evidence(self) -> None:
        """A file, most of them small; some too large to be held in memory."""
        work = self.one_in("draft", "rejected")
        if work is None:
            return self.draft()
        content = self.chance.randbytes(3_000_000 if self.chance.random() < 0.1 else self.chance.randint(1, 60_000))
        digest, path = sha256(content).hexdigest(), f"tests/{work.pk}/evidence"
        data, headers = upload({"side": "red", "sha256": digest}, f"{self.name()}.bin", content)
        return self.write(
            work,
            work.author,
            "evidence_added",
            lambda: self.send(work.author, "POST", path, data, headers),
            lambda standing: digest in [file["sha256"] for file in standing["evidence"]],
        )

    def plan(self) -> None:
        """A campaign with drafts."""
        techniques = self.chance.sample(TECHNIQUES, 3)
        self._planned(
            self.create(self.someone("red_tech"), "campaigns", {"name": self.name(), "techniques": techniques})
        )

    def plan_more(self) -> None:
        """Several drafts at once for a campaign."""
        if not self.ledger.campaigns:
            return self.plan()
        number = self.chance.choice(list(self.ledger.campaigns))
        techniques = self.chance.sample(TECHNIQUES, 4)
        tests = self.create(self.someone("blue_tech"), f"campaigns/{number}/tests", {"techniques": techniques})
        self.ledger.planned[number] += [test["id"] for test in tests]
        return None

    def repeat(self) -> None:
        """A campaign again."""
        if not self.ledger.campaigns:
            return self.plan()
        number = self.chance.choice(list(self.ledger.campaigns))
        return self._planned(self.create(self.someone("red_lead"), f"campaigns/{number}/retest", {"name": self.name()}))

    def _planned(self, campaign: dict[str, Any]) -> None:
        self.ledger.campaigns[campaign["id"]] = campaign
        self.ledger.planned[campaign["id"]] = [test["id"] for test in campaign["tests"]]

    def add_technique(self) -> None:
        """A technique of our own."""
        mitre_id = f"T9{self.number}{len(self.ledger.techniques):02}"
        self.create("admin", "techniques", {"mitre_id": mitre_id, "name": self.name(), "tactics": ["execution"]})
        self.ledger.techniques.append(mitre_id)


STEPS: Final[Mapping[Callable[[Client], None], int]] = {
    Client.draft: 22,
    Client.edit: 20,
    Client.observe: 10,
    Client.submit: 13,
    Client.decide: 12,
    Client.archive: 2,
    Client.give_evidence: 12,
    Client.plan: 3,
    Client.plan_more: 3,
    Client.repeat: 2,
    Client.add_technique: 1,
}
"""What a client does, and how often of a hundred times."""


def upload(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, dict[str, str]]:
    """The body of an upload, and its headers."""
    start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    words = "".join(f'{start}"{field}"\r\n\r\n{value}\r\n' for field, value in fields.items())
    file = f'{start}"file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
    data = (words + file).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return data, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
