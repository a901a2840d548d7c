"""Web workers killed while they answer: what `bin/kill_web.py` does once Django is set up, and a test in small."""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, Final

from django.db import connection

from aegis.accounts.models import KeptAnswer
from aegis.accounts.tests.factories import make_user
from aegis.accounts.tokens import start_session
from aegis.audit.models import AuditLog
from aegis.audit.verification import Verification
from catalog.models import LocalTechnique
from catalog.tests.factories import make_technique
from coverage.evidence import vault
from coverage.models import Campaign, Evidence, Test
from coverage.services.evidence import faults as evidence_faults
from coverage.services.status import drift
from coverage.tests.killed_server import Server, serving, until_it_answers
from coverage.tests.ledger import TECHNIQUES, Astray, Client, Ledger

TEAM: Final = {"admin": 1, "red_tech": 3, "blue_tech": 2, "red_lead": 2, "blue_lead": 2}
SHOWN: Final = 20
REPEATED: Final = 10


@dataclass(slots=True)
class Report:
    """Figures in the order in which they are told, and what is wrong, by figure."""

    figures: dict[str, object] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def hold(self, figure: str, found: Iterable[str]) -> None:
        """A figure that has to be 0: how many were found."""
        faults = list(found)
        self.figures[figure] = len(faults)
        if faults:
            self.wrong[figure] = faults

    def lines(self) -> Iterator[str]:
        """A line for each figure, and below one that is wrong what was found."""
        for figure, value in self.figures.items():
            yield f"{value:>8}  {figure}"
            yield from (f"          {fault}" for fault in self.wrong.get(figure, ())[:SHOWN])


def kill_all(options: argparse.Namespace, folder: Path) -> int:
    """The long run. Prints a line for each figure; returns the exit status."""
    with serving({}, folder) as server:
        at_work = clients(server, options.clients, options.seed)
        report = kill_and_compare(server, at_work, requests=options.requests, every=options.every, seed=options.seed)
    sys.stdout.write(f"{connection.vendor}, seed {options.seed}\n" + "\n".join(report.lines()) + "\n")
    return 1 if report.wrong else 0


def clients(server: Server, number: int, seed: int) -> list[Client]:
    """So many clients of the same team, who have done nothing yet."""
    tokens = people()
    return [Client(one, seed, server.port, tokens) for one in range(number)]


def kill_and_compare(
    server: Server, at_work: Sequence[Client], *, requests: int, every: float, seed: int, kills: int | None = None
) -> Report:
    """Send so many writes, while a worker is killed every so many seconds; then hold the database to what was acknowledged.

    `kills` is how often exactly: there are more writes then if it takes longer.
    """
    begun, before = time.monotonic(), AuditLog.objects.count()
    killed = worked(server, at_work, requests=requests, kills=kills, every=every, chance=Random(seed))
    took, ledgers = time.monotonic() - begun, [client.ledger for client in at_work]
    report = Report()
    report.figures |= {
        "writes acknowledged": sum(ledger.acknowledged for ledger in ledgers),
        "requests sent": sum(client.line.sent for client in at_work),
        "seconds": round(took),
        "workers killed": killed,
        "requests without a whole answer": sum(client.line.broken for client in at_work),
        "writes that were done though nobody heard": sum(ledger.heard_late for ledger in ledgers),
    }
    report.hold("answers that should never come", [fault for ledger in ledgers for fault in ledger.faults])
    report.figures["seconds until the site answers at the end"] = round(until_it_answers(server), 1)
    report.hold("metrics that cannot be read", server.flaws_of_metrics())
    report.hold("faults in the log", server.tracebacks())
    compare(report, at_work)
    examine(report, before)
    return report


def people() -> dict[str, str]:
    """Techniques to test, and a team: the token of each, by name."""
    for mitre_id in TECHNIQUES:
        make_technique(mitre_id)
    names = [(role, f"{role}-{number}" if number else role) for role, most in TEAM.items() for number in range(most)]
    return {name: start_session(make_user(role, username=name))["access_token"] for role, name in names}


def worked(
    server: Server, at_work: Sequence[Client], *, requests: int, kills: int | None, every: float, chance: Random
) -> int:
    """Let the clients work, and kill a worker every so many seconds meanwhile. Returns how many were killed."""
    killed, due = 0, time.monotonic() + every

    def is_enough() -> bool:
        return killed >= (kills or 0) and sum(client.ledger.acknowledged for client in at_work) >= requests

    with ThreadPoolExecutor(len(at_work)) as pool:
        busy: list[Future[Ledger]] = [pool.submit(client.work_until, is_enough) for client in at_work]
        while not all(one.done() for one in busy):
            time.sleep(0.02)
            if time.monotonic() >= due and killed != kills and server.kill_one(chance):
                killed, due = killed + 1, time.monotonic() + every * chance.uniform(0.75, 1.25)
        for one in busy:
            one.result()
    return killed


def compare(report: Report, at_work: Sequence[Client]) -> None:
    """Hold every table to the ledgers."""
    ledgers, told = [client.ledger for client in at_work], stories()
    report.hold("acknowledged and lost", [fault for client in at_work for fault in lost(client, told)])
    report.hold("doubled, or there though nobody was told", doubled(ledgers, told))
    report.hold("creations that came again other than before", [fault for one in at_work for fault in repeated(one)])
    report.hold("doubled by a creation that came again", doubled(ledgers, stories()))


def stories() -> Mapping[str, list[str]]:
    """What the audit trail tells of each test, in order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    rows = AuditLog.objects.filter(object_type="coverage.test").order_by("id")
    for number, action in rows.values_list("object_id", "action"):
        found[number].append(action)
    return found


def lost(client: Client, told: Mapping[str, list[str]]) -> Iterator[str]:
    """What this client was told, and is not so."""
    for work in client.ledger.works:
        try:
            standing = client.look(work.reader, work)
        except Astray as fault:
            yield str(fault)
            continue
        if other := [name for name in work.body if standing[name] != work.body[name]]:
            yield f"test {work.pk}: {', '.join(other)} are not what was acknowledged"
        if missing := Counter(work.story) - Counter(told[str(work.pk)]):
            yield f"test {work.pk}: not recorded: {', '.join(missing)}"
    for number, tests in client.ledger.planned.items():
        if gone := set(tests) - set(Test.objects.filter(campaign=number).values_list("pk", flat=True)):
            yield f"campaign {number}: tests {sorted(gone)} are gone"
        if not Campaign.objects.filter(pk=number, name=client.ledger.campaigns[number]["name"]).exists():
            yield f"campaign {number} is gone"
    known = set(LocalTechnique.objects.values_list("technique__mitre_id", flat=True))
    yield from (f"technique {mitre_id} is gone" for mitre_id in client.ledger.techniques if mitre_id not in known)


def doubled(ledgers: Sequence[Ledger], told: Mapping[str, list[str]]) -> Iterator[str]:
    """What is there more often than somebody was told."""
    works = {work.pk: work for ledger in ledgers for work in ledger.works}
    planned = [number for ledger in ledgers for tests in ledger.planned.values() for number in tests]
    acknowledged = {number: ["test.created"] for number in planned}
    acknowledged |= {number: work.story for number, work in works.items()}
    for number, story in told.items():
        expected = acknowledged.get(int(number), [])
        if story != expected and not Counter(expected) - Counter(story):
            yield f"test {number}: recorded {story}, acknowledged {expected}"
    expected_rows = {
        Test: [*works, *planned],
        Campaign: [number for ledger in ledgers for number in ledger.campaigns],
        Evidence: [file["id"] for work in works.values() for file in work.body["evidence"]],
        LocalTechnique: [mitre_id for ledger in ledgers for mitre_id in ledger.techniques],
        KeptAnswer: [creation.key for ledger in ledgers for creation in ledger.creations],
    }
    for model, expected in expected_rows.items():
        if model.objects.count() > len(set(expected)) or len(set(expected)) < len(expected):
            yield f"{model.objects.count()} rows of {model.__name__}, {len(expected)} acknowledged"
    for column, rows in {"name": Campaign.objects, "sha256": Evidence.objects}.items():
        yield from (f"{value} is there {n} times" for value, n in Counter(values(rows, column)).items() if n > 1)


def values(rows: Any, column: str) -> Iterable[str]:
    """A column of all rows."""
    return iter(rows.values_list(column, flat=True))


def repeated(client: Client) -> Iterator[str]:
    """Creations that are answered otherwise when they come again."""
    made = client.ledger.creations
    for one in client.chance.sample(made, min(REPEATED, len(made))):
        answer = client.ask_with(one.key, one.user, one.path, one.body)
        is_again = answer.headers.get("Idempotency-Replayed") == "true"
        if (answer.status, is_again, answer.body) != (HTTPStatus.CREATED, True, one.answer):
            yield f"POST {one.path} {one.key}: {answer.status}, replayed: {is_again}"


def examine(report: Report, before: int) -> None:
    """Ask the database what it thinks of itself: the trail, the statuses, the files, open transactions."""
    walk = Verification()
    report.hold("flaws in the audit trail", map(str, walk.flaws()))
    denied = AuditLog.objects.filter(pk__gt=before, action="access.denied")
    report.hold("refusals that were recorded", map(str, denied))
    report.hold("statuses that are not what the tests say", drift())
    report.hold("files of evidence that are gone or changed", evidence_faults())
    report.hold("transactions left open", open_transactions())
    known = set(Evidence.objects.values_list("key", flat=True))
    _, names = vault.storage().listdir(vault.FOLDER)
    report.figures |= {
        "rows of the audit trail": walk.rows,
        "files of evidence": len(known),
        "files without a row, swept after a day": len({f"{vault.FOLDER}/{name}" for name in names} - known),
    }


def open_transactions() -> Iterator[str]:
    """Transactions that a killed process has left open, after the time that the database may take to see that."""
    if connection.vendor != "postgresql":
        return
    time.sleep(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND xact_start < now() - interval '1 second'"
        )
        yield from map(str, cursor.fetchall())
