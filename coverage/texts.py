"""What people may write into a test: any text that both databases can store, within measure."""

from collections.abc import Callable
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

LONGEST: Final = 100_000
"""Characters: a script with its payload, not a dump."""
MOST_ARGUMENTS: Final = 200


def storable(text: str) -> None:
    """Raises ValidationError for NUL and for halves of surrogate pairs: PostgreSQL stores neither."""
    if "\0" in text:
        raise ValidationError("The text holds a NUL character, which cannot be stored: take it out.", code="nul")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError("The text holds half a character (a lone surrogate): take it out.", code="surrogate")


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


SHORT: Final[list[Callable[[Any], None]]] = [storable]
LONG: Final[list[Callable[[Any], None]]] = [storable, MaxLengthValidator(LONGEST)]
