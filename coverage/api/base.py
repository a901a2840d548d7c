"""What the endpoints of tests share: refusals as problems, the version that the caller saw, rows that a body names."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.models import User
from aegis.lib.api import Conflicting, Endpoint
from aegis.lib.parsers import TooLarge
from coverage.evidence import vault
from coverage.evidence.room import NoRoom
from coverage.services.evidence import TooMany
from coverage.testing.refusals import Conflict

Row = TypeVar("Row", bound=Model)
RETRY_SECONDS: Final = 30
LARGEST_ID: Final = 2**63 - 1
LARGEST_VERSION: Final = 2**31 - 1
ENTITY_TAG: Final = re.compile(r'(?:W/)?"([0-9]{1,9})"', re.ASCII)


class StorageUnavailable(APIException):
    """The evidence storage does not answer: `Retry-After` says when to try again."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_SECONDS


class GivenTooMuch(APIException):
    """Whoever asks has given too much evidence of late: `Retry-After` says when this fits."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS

    def __init__(self, detail: str, wait: int) -> None:
        super().__init__(detail)
        self.wait = wait


class WorkEndpoint(Endpoint):
    """An endpoint that calls the services of tests, and refuses with their reasons."""

    def handle_exception(self, exc: Exception) -> Response:
        """The problem that an exception is."""
        return super().handle_exception(told(exc))


def told(error: Exception) -> Exception:
    """The exception of the API that says what one of the services says; any other as it is."""
    match error:
        case Conflict():
            return Conflicting(str(error))
        case vault.TooLarge():
            return TooLarge(str(error))
        case NoRoom():
            return GivenTooMuch(str(error), error.wait)
        case vault.Unavailable():
            return StorageUnavailable(str(error))
        case TooMany():
            return ValidationError({"file": [str(error)]})
        case DjangoValidationError() if NON_FIELD_ERRORS in getattr(error, "error_dict", {}):
            messages = error.message_dict
            return ValidationError({"non_field_errors": messages.pop(NON_FIELD_ERRORS), **messages})
    return error


def visitor(request: Request) -> User:
    """Who asks; the policy has seen to it that somebody does."""
    return cast(User, request.user)


def given(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The cleaned body. Raises ValidationError by field."""
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    return cast(dict[str, Any], body.validated_data)


def seen_version(request: Request, body: Mapping[str, Any]) -> int | None:
    """The version that the caller saw, by the body or the header `If-Match`; None if they name none.

    Raises ValidationError for a header that is no version, or is another one than the body's.
    """
    header, named = request.headers.get("If-Match", "*").strip(), body.get("version")
    if header == "*":
        return cast(int | None, named)
    found = ENTITY_TAG.fullmatch(header) or re.fullmatch("([0-9]{1,9})", header, re.ASCII)
    if found is None or named not in {None, int(found[1])}:
        raise ValidationError({"If-Match": ['Write the version that you saw, as in "3", and the same as in the body.']})
    return int(found[1])


IF_MATCH: Final = OpenApiParameter("If-Match", str, "header", description='The version that you saw, as in `"3"`.')


def seen(form: type[serializers.Serializer[Any]], request: Request) -> tuple[dict[str, Any], int | None]:
    """The cleaned body without its `version`, and the version that the caller saw. Raises ValidationError by field."""
    body = given(form, request)
    version = seen_version(request, body)
    body.pop("version", None)
    return body, version


def version_field() -> serializers.IntegerField:
    """The version that the caller saw: 409 if it is another one by now."""
    text = "The version that you saw: 409 if somebody has written since. The header `If-Match` says the same."
    return serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_VERSION, help_text=text)


def ids(**options: Any) -> serializers.ListField:
    """A field that is a list of numbers of rows."""
    child = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    return serializers.ListField(child=child, max_length=1000, **options)


def one_of(rows: QuerySet[Row], field: str, column: str, value: Any) -> Row | None:
    """The row that a field of a body names, None if it names none. Raises ValidationError if it is not there."""
    return (rows.filter(**{column: value}).first() or unknown(field, [value])) if value else None


def all_of(rows: QuerySet[Row], field: str, column: str, values: Iterable[Any]) -> list[Row]:
    """The rows that a field of a body names, in its order, each once. Raises ValidationError for those that are not there."""
    wanted = list(dict.fromkeys(values))
    found = {getattr(row, column): row for row in rows.filter(**{f"{column}__in": wanted})}
    if missing := [value for value in wanted if value not in found]:
        unknown(field, missing)
    return [found[value] for value in wanted]


def unknown(field: str, missing: list[Any]) -> NoReturn:
    """Raises ValidationError: the body names rows that are not there."""
    raise DjangoValidationError({field: f"There is no {', '.join(map(str, missing))}."})
