"""How the page of a test answers what was sent from it: back to the page, or with what is refused, why, and what was typed."""

from typing import Final, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from aegis.accounts.models import User
from aegis.lib.pages import render_page
from coverage.evidence import vault
from coverage.evidence.room import NoRoom
from coverage.models import Test
from coverage.services.evidence import TooMany
from coverage.testing.one_test import differences, shown, whole
from coverage.testing.refusals import Conflict, NotAllowed, StaleVersion

PAGE: Final = "#test-page"
REFUSALS: Final = (Conflict, NotAllowed, ValidationError, TooMany, NoRoom, vault.TooLarge, vault.Unavailable)
STATUS: Final[dict[type[Exception], int]] = {
    Conflict: 409,
    NotAllowed: 403,
    ValidationError: 400,
    TooMany: 413,
    NoRoom: 429,
    vault.TooLarge: 413,
    vault.Unavailable: 503,
}


def find_test(pk: int) -> Test:
    """The test with everything that its page asks. Raises Http404."""
    return get_object_or_404(whole(Test.objects.all()), pk=pk)


def is_part(request: HttpRequest) -> bool:
    """Whether htmx asks, and shows in the page that stands what it gets."""
    return bool(request.htmx)  # type: ignore[attr-defined]  # django_htmx sets it


def done(request: HttpRequest, test: Test, said: str) -> HttpResponse:
    """Back to the page of the test, with a word on what was done. htmx follows, and shows the page's content anew."""
    messages.success(request, said)
    return redirect(test)


def refused(request: HttpRequest, test: Test, refusal: Exception | None = None, *, half: str = "") -> HttpResponse:
    """The page with what was typed into `half` still in it, and beside a stale version what the test says now."""
    context = shown(test, cast(User, request.user), request.POST, half) | why(test, request, refusal, half)
    response = render_page(request, "coverage/test_detail.html", context, status=status_of(refusal))
    response["HX-Retarget"] = PAGE
    return when_again(response, refusal)


def refused_in_words(request: HttpRequest, refusal: Exception) -> HttpResponse:
    """The refusal alone, of a body that is not read, or to a script: plain words for it, a page for people."""
    words, status = " ".join(texts(refusal)), status_of(refusal)
    if is_part(request):
        return when_again(HttpResponse(words, status=status, content_type="text/plain"), refusal)
    return when_again(render(request, "413.html", {"words": words, "code": str(status)}, status=status), refusal)


def when_again(response: HttpResponse, refusal: Exception | None) -> HttpResponse:
    """The answer, with the seconds after which it makes sense to try again where they are known."""
    if isinstance(refusal, NoRoom):
        response["Retry-After"] = str(refusal.wait)
    return response


def why(test: Test, request: HttpRequest, refusal: Exception | None, half: str) -> dict[str, object]:
    """What the page says of a refusal; without one, fields say it themselves."""
    stale = isinstance(refusal, StaleVersion)
    return {
        "refusal": texts(refusal) if refusal else ["Not saved: see the fields below."],
        "is_stale": stale,
        "half": half,
        "differences": differences(test, request.POST, half) if stale and half else [],
        "reason": request.POST.get("note", ""),
    }


def status_of(refusal: Exception | None) -> int:
    """The status that a refusal is answered with."""
    return next((code for kind, code in STATUS.items() if isinstance(refusal, kind)), 400)


def texts(refusal: Exception) -> list[str]:
    """A refusal in sentences."""
    if not isinstance(refusal, ValidationError):
        return [str(refusal)]
    if not hasattr(refusal, "error_dict"):
        return refusal.messages
    return [f"{_label(name)}: {text}" for name, texts in refusal.message_dict.items() for text in texts]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
