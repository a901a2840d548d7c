"""Which fields of a test people write, under which permission, and what that makes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import CharField, JSONField
from django.utils.timezone import is_naive, make_aware

from coverage.models import Test, TestInvolvement
from coverage.testing.texts import arguments

Kind = TestInvolvement.Kind


@dataclass(frozen=True, slots=True)
class Written:
    """The action of the policy that writing a field asks for, and the involvement that follows."""

    action: str
    kind: TestInvolvement.Kind


PLAN: Final = Written("test.execute", Kind.EDITED)
RUN: Final = Written("test.execute", Kind.EXECUTED)
SEEN: Final = Written("test.assess", Kind.ASSESSED)

FIELDS: Final[Mapping[str, Written]] = {
    "name": Written("test.edit", Kind.EDITED),
    "procedure": PLAN,
    "platform": PLAN,
    "target": PLAN,
    "executor": PLAN,
    "input_arguments": PLAN,
    "commands": RUN,
    "cleanup_commands": RUN,
    "cleanup_done": RUN,
    "started_at": RUN,
    "ended_at": RUN,
    "red_result": RUN,
    "expected_outcome": SEEN,
    "detected_at": SEEN,
    "blue_notes": SEEN,
}
"""Everything that `edit_test` writes; outcomes and rules have services of their own, all else follows from moves."""

RESULTS: Final = ("cleanup_done", "started_at", "ended_at", "red_result", "detected_at", "blue_notes")
"""What a repeat begins without, beside the outcomes and the rules that fired."""


def cleaned(test: Test, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the database will hold them.

    Raises ValidationError {field: messages} for unknown fields, wrong values, and events in a wrong order.
    """
    errors: dict[str, Any] = {
        name: "No such field, or not one that can be written." for name in changes if name not in FIELDS
    }
    values = {}
    for name in changes.keys() & FIELDS.keys():
        try:
            values[name] = _cleaned(test, name, changes[name])
        except ValidationError as error:
            errors[name] = error
    if errors:
        raise ValidationError(errors)
    check_order({**{name: getattr(test, name) for name in ("started_at", "ended_at", "detected_at")}, **values})
    return values


def aware(value: Any) -> Any:
    """A time without a zone is taken for UTC; anything else stays as it is."""
    return make_aware(value, UTC) if isinstance(value, datetime) and is_naive(value) else value


def _cleaned(test: Test, name: str, value: Any) -> Any:
    field: Any = test._meta.get_field(name)
    text = value.strip() if isinstance(field, CharField) and isinstance(value, str) else value
    if isinstance(field, JSONField):
        arguments(value)  # `clean` does not validate what is empty, and an empty list is no object
    return aware(field.clean(aware(text), test))


def check_order(times: Mapping[str, Any]) -> None:
    """Raises ValidationError if the test ends, or is detected, before it starts."""
    start = times["started_at"]
    errors = {
        name: f"This is before the start ({start:%Y-%m-%d %H:%M:%S} UTC)."
        for name in ("ended_at", "detected_at")
        if start and times[name] and times[name] < start
    }
    if errors:
        raise ValidationError(errors)


def actions(names: Iterable[str]) -> list[str]:
    """The actions that writing these fields asks for, each once."""
    return list(dict.fromkeys(FIELDS[name].action for name in names))


def kinds(names: Iterable[str]) -> list[TestInvolvement.Kind]:
    """The involvement that follows from writing these fields, each kind once."""
    return list(dict.fromkeys(FIELDS[name].kind for name in names))
