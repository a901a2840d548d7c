"""Writing into a test: its fields, the facts of what was seen, the rules that fired, other commands of its template."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from aegis.accounts.models import User
from catalog.models import DetectionRule
from coverage.models import Test, TestInvolvement, TestOutcome
from coverage.services.creation import from_template
from coverage.services.fields import FIELDS, actions, aware, cleaned, kinds
from coverage.services.writing import check_seen, involve, locked, moved, permit, settle, write
from coverage.testing.outcomes import Sighting, headline
from coverage.testing.workflow import Action

MOST_FACTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one tool did: `kind` is prevented, alerted or logged; `seen` whether it did that; `at` when, if that is known."""

    kind: str
    seen: bool = True
    at: datetime | None = None
    tool: str = ""
    note: str = ""


@transaction.atomic
def edit_test(
    *,
    by: User,
    test: Test,
    changes: Mapping[str, Any],
    version: int | None = None,
    seen: Mapping[str, Any] | None = None,
) -> Test:
    """The test with `changes` to fields of `coverage.services.fields.FIELDS`; a rejected one is a draft again.

    Values that it has already are no change; without any, nothing is written. Who names what they have `seen` in the fields
    that they change is stale only if one of these has changed. Raises NotAllowed, StaleVersion, IllegalMove, ValidationError
    {field: messages}.
    """
    test = _open_for(by, test, version, actions(name for name in changes if name in FIELDS) or ["test.edit"])
    check_seen(test, seen or {})
    values = {name: value for name, value in cleaned(test, changes).items() if value != getattr(test, name)}
    if not values:
        return test
    before = {name: getattr(test, name) for name in values}
    _edited(by, test, values, kinds(values))
    settle(by, test, "edited", before=before, after=values)
    return test


@transaction.atomic
def set_outcomes(*, by: User, test: Test, facts: Iterable[Fact], version: int | None = None) -> Test:
    """The test with exactly these facts, and the headline that follows. Those that stand keep who entered them, and when.

    Raises NotAllowed, StaleVersion, IllegalMove, ValidationError {"outcomes": messages}.
    """
    test = _open_for(by, test, version, ["test.assess"])
    wanted = _checked([replace(fact, at=aware(fact.at)) for fact in facts])
    standing = list(test.outcomes.all())
    added, removed = _difference(standing, wanted)
    if not added and not removed:
        return test
    before = [_plain(_fact(row)) for row in standing]
    TestOutcome.objects.filter(pk__in=[row.pk for row in removed]).delete()
    for fact in added:
        TestOutcome.objects.create(test=test, entered_by=by, **asdict(fact))
    outcome = headline((Sighting(fact.kind), fact.seen) for fact in wanted)
    _edited(by, test, {"outcome": outcome}, [TestInvolvement.Kind.ASSESSED])
    settle(by, test, "edited", before={"outcomes": before}, after={"outcomes": [_plain(fact) for fact in wanted]})
    return test


@transaction.atomic
def set_rules(*, by: User, test: Test, rules: Iterable[DetectionRule], version: int | None = None) -> Test:
    """The test with exactly these rules as those that fired. Raises NotAllowed, StaleVersion, IllegalMove."""
    test = _open_for(by, test, version, ["test.assess"])
    before, wanted = set(test.detection_rules.all()), set(rules)
    if before == wanted:
        return test
    test.detection_rules.set(wanted)
    _edited(by, test, {}, [TestInvolvement.Kind.ASSESSED])
    settle(by, test, "edited", before={"detection_rules": _ids(before)}, after={"detection_rules": _ids(wanted)})
    return test


@transaction.atomic
def refill_commands(
    *,
    by: User,
    test: Test,
    platform: str = "",
    executor: str = "",
    arguments: Mapping[str, str] | None = None,
    version: int | None = None,
) -> Test:
    """The test with its template's commands filled in anew, for another platform, executor or other arguments.

    Raises NotAllowed, StaleVersion, IllegalMove, ValidationError {field: messages}.
    """
    if test.template is None:
        raise ValidationError({"template": "This test has no template to take commands from."})
    filled = from_template(
        test.template, {"platform": platform, "executor": executor, "input_arguments": dict(arguments or {})}
    )
    changes = {name: value for name, value in filled.items() if name not in {"name", "procedure"}}
    return edit_test(by=by, test=test, changes=changes, version=version)


def _open_for(by: User, test: Test, version: int | None, asked: Iterable[str]) -> Test:
    """The locked test, if the policy and its state let `by` edit it."""
    test = locked(test, version)
    for action in asked:
        permit(by, action, test)
    moved(test, Action.EDIT)
    return test


def _edited(by: User, test: Test, values: Mapping[str, Any], involvement: Iterable[TestInvolvement.Kind]) -> None:
    write(test, by, "edited", {**values, "state": moved(test, Action.EDIT)})
    involve(by, test, *involvement)


def _checked(facts: list[Fact]) -> list[Fact]:
    if len(facts) > MOST_FACTS:
        raise ValidationError({"outcomes": f"At most {MOST_FACTS} outcomes."})
    errors = [message for number, fact in enumerate(facts, 1) for message in _errors(number, fact)]
    if errors:
        raise ValidationError({"outcomes": errors})
    return facts


def _errors(number: int, fact: Fact) -> list[str]:
    try:
        TestOutcome(**asdict(fact)).clean_fields(exclude=["test", "entered_by"])
    except ValidationError as error:
        return [f"{number}. {name}: {text}" for name, texts in error.message_dict.items() for text in texts]
    return []


def _difference(standing: list[TestOutcome], wanted: list[Fact]) -> tuple[list[Fact], list[TestOutcome]]:
    """Facts to add and rows to remove; the same fact twice is two facts."""
    missing = Counter(wanted)
    removed = []
    for row in standing:
        if missing[fact := _fact(row)]:
            missing[fact] -= 1
        else:
            removed.append(row)
    return list(missing.elements()), removed


def _fact(row: TestOutcome) -> Fact:
    return Fact(kind=row.kind, seen=row.seen, at=row.at, tool=row.tool, note=row.note)


def _plain(fact: Fact) -> dict[str, Any]:
    return asdict(fact) | {"at": fact.at and fact.at.isoformat()}


def _ids(rules: Iterable[DetectionRule]) -> list[str]:
    return sorted(f"{rule.source} {rule.external_id}" for rule in rules)
