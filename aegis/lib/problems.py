"""Errors of the API as RFC 9457 problem details: what is wrong, where, and what to do."""

from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.db import DataError
from django.http import JsonResponse
from django.utils.log import log_response
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler

from aegis.lib.outages import OUTAGES
from aegis.lib.parsers import TooLarge
from aegis.lib.upgrades import BEHIND, WHAT_TO_DO, is_behind

MEDIA_TYPE: Final = "application/problem+json"
FIELD_ERRORS: Final = "The request cannot be carried out as it stands: see `errors`."


RETRY_SECONDS: Final = 10


class Unavailable(APIException):
    """The database does not answer: `Retry-After` says when to try again."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database does not answer. Try again in a few seconds."
    wait = RETRY_SECONDS


class Behind(Unavailable):
    """The database lacks what this version needs."""

    default_detail = f"{BEHIND} Somebody who runs the server has to act: {WHAT_TO_DO}"


class Broken(APIException):
    """A fault of ours. It tells nothing: the log has it."""

    default_detail = "Something broke on the server. It has been logged; an administrator can look it up by the time."


def problem(status_code: int, detail: str, errors: Any = None) -> dict[str, Any]:
    """The members of a problem. `errors` is {field: [message, ...]}, and is left out where there are none."""
    members = {
        "type": "about:blank",
        "title": HTTPStatus(status_code).phrase,
        "status": status_code,
        "detail": detail,
    }
    return members | ({"errors": _as_utf8(errors)} if errors else {})


def _as_utf8(value: Any) -> Any:
    """Messages that quote what was sent: halves of characters, which no answer can hold, become question marks."""
    if isinstance(value, dict):
        return {_as_utf8(name): _as_utf8(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_utf8(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def problem_page(status_code: int, detail: str) -> JsonResponse:
    """A problem as Django's own answer, for views that are not part of the API framework."""
    return JsonResponse(problem(status_code, detail), status=status_code, content_type=MEDIA_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """The answer to any exception that a view of the API raised: REST framework's EXCEPTION_HANDLER."""
    response = exception_handler(_told(error), context)
    if response is None:
        return _broken(error, context, said_of(error))
    response.data = problem(response.status_code, *_detail_and_errors(response.data))
    return _as_problem(response, context)


def said_of(error: BaseException | None) -> Unavailable | Broken:
    """What a client is told of an exception that nobody caught."""
    if is_behind(error):
        return Behind()
    return Unavailable() if isinstance(error, OUTAGES) else Broken()


def _told(error: Exception) -> Exception:
    """The exception of the framework that says the same to the client; `error` itself if it is one, or is our own fault."""
    match error:
        case RequestDataTooBig():
            return TooLarge()
        case DjangoValidationError():
            return ValidationError(as_serializer_error(error))
        case SuspiciousOperation() | DataError() | OverflowError() | UnicodeError():
            return ParseError("The request holds a value that cannot be stored or looked up.")
    if type(error) is LookupError:  # Python's word for a charset that is no text encoding
        return ParseError("The charset of the request is none that text can have: use UTF-8.")
    return error


def _detail_and_errors(data: Any) -> tuple[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("detail"), str):
        return str(data["detail"]), None
    return FIELD_ERRORS, data if isinstance(data, dict) else {"non_field_errors": data}


def _broken(error: Exception, context: dict[str, Any], shown: APIException) -> Response:
    """500 or 503, logged with its traceback; test clients and error trackers hear of it as of any uncaught exception."""
    request = context["request"]._request
    got_request_exception.send(sender=problem_response, request=request)
    response = exception_handler(shown, context)
    assert response is not None, "the framework knows its own exception"  # noqa: S101
    response.data = problem(response.status_code, str(shown.detail))
    log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request, exception=error)
    return _as_problem(response, context)


def _as_problem(response: Response, context: dict[str, Any]) -> Response:
    """The browsable API shows the problem on its page; everybody else gets it as JSON, whatever they accept."""
    request = context["request"]
    if isinstance(getattr(request, "accepted_renderer", None), BrowsableAPIRenderer):
        return response
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), MEDIA_TYPE
    response.content_type = MEDIA_TYPE
    return response
