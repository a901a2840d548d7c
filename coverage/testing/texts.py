"""What people may write into a test: any text that both databases can store, within measure."""

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from aegis.lib.written import flaw, one_line

LONGEST: Final = 100_000
"""Characters: a script with its payload, not a dump."""
MOST_ARGUMENTS: Final = 200
EARLIEST: Final = 1990
LATEST: Final = 2199


def storable(text: str) -> None:
    """Raises ValidationError for control characters, NUL among them, and for halves of surrogate pairs."""
    if message := flaw(text):
        raise ValidationError(message, code="unstorable")


def plausible(day: date) -> None:
    """Raises ValidationError for a date or a time that nobody who tests can mean."""
    if not EARLIEST <= day.year <= LATEST:
        raise ValidationError(f"Write a year from {EARLIEST} to {LATEST}.", code="implausible")


def arguments(value: Any) -> None:
    """Raises ValidationError unless `value` is {name: value}, both texts, within measure."""
    if not isinstance(value, dict):
        raise ValidationError("Expected an object of names and values.", code="invalid")
    if len(value) > MOST_ARGUMENTS:
        raise ValidationError(f"At most {MOST_ARGUMENTS} arguments.", code="max_items")
    for name, text in value.items():
        if not isinstance(text, str):
            raise ValidationError(f"The value of `{name}` has to be text.", code="invalid")
        storable(name)
        storable(text)
    if sum(len(name) + len(text) for name, text in value.items()) > LONGEST:
        raise ValidationError(f"At most {LONGEST:,} characters in all arguments.", code="max_length")


SHORT: Final[list[Callable[[Any], None]]] = [one_line]
LONG: Final[list[Callable[[Any], None]]] = [storable, MaxLengthValidator(LONGEST)]
