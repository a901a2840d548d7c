"""Values of a JSON body as they came: a number is no text, and "true" is not true. What is no such value is told by field."""

from typing import Any, Final

from rest_framework import serializers

from aegis.lib.written import flaw, flaw_of_line

LINE: Final = 500
"""Texts that may have at most so many characters are shown in one line."""

KINDS: Final = (
    (serializers.BooleanField, bool, "Write true or false."),
    (serializers.IntegerField, int, "Write a whole number."),
    (serializers.ChoiceField, str, "Write one of the choices, as text."),
    (serializers.DateTimeField, str, "Write a time, as text: 2026-01-02T03:04:05Z."),
    (serializers.DateField, str, "Write a date, as text: 2026-01-02."),
    (serializers.CharField, str, "Write text."),
)


def fault(field: Any, value: Any, *, is_form: bool) -> str:
    """Why a field does not take a value, before its own rules are asked; empty if they may be. In a form all is text."""
    if value is None:
        return ""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return _first(fault(field.child, item, is_form=is_form) for item in value)
    if isinstance(field, serializers.DictField) and isinstance(value, dict):
        return _first(flaw(name) for name in value) or _first(
            fault(field.child, item, is_form=is_form) for item in value.values()
        )
    if not is_form and (message := _other_kind(field, value)):
        return message
    return _flaw(field, value) if isinstance(value, str) else ""


def _first(messages: Any) -> str:
    return next(filter(None, messages), "")


def _other_kind(field: Any, value: Any) -> str:
    for kind, wanted, message in KINDS:
        if isinstance(field, kind):
            is_whole = wanted is int and isinstance(value, float) and value.is_integer()
            return "" if type(value) is wanted or is_whole else message
    return ""


def _flaw(field: Any, text: str) -> str:
    """A password is compared, and never shown."""
    if field.style.get("input_type") == "password":
        return ""
    is_line = (getattr(field, "max_length", None) or LINE + 1) <= LINE
    return flaw_of_line(text.strip()) if is_line else flaw(text)
