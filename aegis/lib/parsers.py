"""Reading request bodies: always UTF-8, never larger than a request needs, and JSON without its traps."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    """The body is larger than any request needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


class StrictJSON(BaseParser):
    """JSON without repeated names and without NaN. The charset that a client claims is ignored: JSON is UTF-8 (RFC 8259)."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The document. Raises ParseError for what is no JSON, TooLarge for what is too long."""
        text = body_text(stream)
        try:
            return json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
            raise ParseError(f"The body is not JSON that can be read: {reason}.") from error


class Form(BaseParser):
    """A form as browsers and curl send it."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> QueryDict:
        """The fields. Raises ParseError for what is no text, TooLarge for what is too long."""
        return QueryDict(body_text(stream), encoding="utf-8")


def body_text(stream: IO[Any]) -> str:
    """The body as text. Raises TooLarge beyond DATA_UPLOAD_MAX_MEMORY_SIZE, ParseError if it is not UTF-8."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise TooLarge
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"The body is not UTF-8: byte {error.start} cannot be decoded.") from error


def _each_name_once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return names


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")
