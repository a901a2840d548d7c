"""What people send from the page of a test. What is refused comes back on the page, with the reason and what was typed."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import render_page
from catalog.models import DetectionRule
from coverage import vault
from coverage.forms import BLUE_FIELDS, RED_FIELDS, BlueForm, RedForm, fact_forms
from coverage.models import Evidence, Test
from coverage.one_test import differences, shown, whole
from coverage.refusals import Conflict, NotAllowed, StaleVersion
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.evidence import TooMany, attach_evidence
from coverage.services.halves import record_blue_half
from coverage.services.recording import edit_test

REFUSALS = (Conflict, NotAllowed, ValidationError, TooMany, vault.TooLarge, vault.Unavailable)
STATUS: dict[type[Exception], int] = {
    Conflict: 409,
    NotAllowed: 403,
    ValidationError: 400,
    TooMany: 413,
    vault.TooLarge: 413,
    vault.Unavailable: 503,
}


@require_action("test.execute")
@require_POST
def red_half(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what was done."""
    test, user = _test(pk), cast(User, request.user)
    form = RedForm.of(test, request.POST)
    if not form.is_valid():
        return _refused(request, test, half="red")

    def write() -> None:
        edit_test(by=user, test=test, changes=form.written(RED_FIELDS), version=form.cleaned_data["version"])

    return _answered(request, test, write, "The red half is saved.", half="red")


@require_action("test.assess")
@require_POST
def blue_half(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what was seen: the facts, the rules that fired, and what was made of it."""
    test, user = _test(pk), cast(User, request.user)
    form, rows = BlueForm.of(test, request.POST), fact_forms(test, request.POST)
    if not (form.is_valid() and rows.is_valid()):
        return _refused(request, test, half="blue")

    def write() -> None:
        record_blue_half(
            by=user,
            test=test,
            changes=form.written(BLUE_FIELDS),
            facts=[fact for row in rows if (fact := row.fact())],
            rules=_rules(request),
            version=form.cleaned_data["version"],
        )

    return _answered(request, test, write, "The blue half is saved.", half="blue")


@require_action("test.submit")
@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the test in."""
    return _moved(request, pk, submit_test, "The test is in review.")


@require_action("test.decide")
@require_POST
def validate(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide that the test shows what it says."""
    return _moved(request, pk, validate_test, "The test is validated.", note=request.POST.get("note", ""))


@require_action("test.decide")
@require_POST
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the test back, with the reason."""
    return _moved(request, pk, reject_test, "The test is rejected.", note=request.POST.get("note", ""))


@require_action("test.archive")
@require_POST
def archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the test away."""
    return _moved(request, pk, archive_test, "The test is archived.", note=request.POST.get("note", ""))


@require_action("evidence.add")
@require_POST
def add_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach one or more files to one side. Those that came before one that is refused are kept."""
    test, user = _test(pk), cast(User, request.user)
    files = request.FILES.getlist("files")

    def write() -> None:
        _check_side(request.POST.get("side", ""), files)
        for file in files:
            attach_evidence(
                by=user,
                test=test,
                side=request.POST["side"],
                file=cast(Any, file),
                name=file.name or "",
                caption=request.POST.get("caption", "").strip(),
                content_type=file.content_type or "",
            )

    said = "The file is kept." if len(files) == 1 else f"{len(files)} files are kept."
    return _answered(request, test, write, f"{said} Its SHA-256 stands beside it.", half="")


def _moved(request: HttpRequest, pk: int, service: Callable[..., Test], said: str, **more: str) -> HttpResponse:
    test = _test(pk)

    def write() -> None:
        service(by=cast(User, request.user), test=test, version=_version(request), **more)

    return _answered(request, test, write, said, half="")


def _answered(request: HttpRequest, test: Test, write: Callable[[], None], said: str, *, half: str) -> HttpResponse:
    """Back to the page of the test, or the page itself with the refusal."""
    try:
        write()
    except REFUSALS as refusal:
        return _refused(request, _test(test.pk), refusal, half=half)
    messages.success(request, said)
    return redirect(test)


def _refused(request: HttpRequest, test: Test, refusal: Exception | None = None, *, half: str) -> HttpResponse:
    """The page with what was typed still in it, and beside a stale version what the test says now."""
    context = shown(test, cast(User, request.user), request.POST, half)
    stale = isinstance(refusal, StaleVersion)
    context |= {
        "refusal": _texts(refusal) if refusal else ["Not saved: see the fields below."],
        "is_stale": stale,
        "differences": differences(test, request.POST, half) if stale and half else [],
        "reason": request.POST.get("note", ""),
    }
    status = next((code for kind, code in STATUS.items() if isinstance(refusal, kind)), 400)
    return render_page(request, "coverage/test_detail.html", context, status=status)


def _texts(refusal: Exception) -> list[str]:
    if not isinstance(refusal, ValidationError):
        return [str(refusal)]
    if not hasattr(refusal, "error_dict"):
        return refusal.messages
    return [f"{_label(name)}: {text}" for name, texts in refusal.message_dict.items() for text in texts]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _test(pk: int) -> Test:
    return get_object_or_404(whole(Test.objects.all()), pk=pk)


def _version(request: HttpRequest) -> int:
    """The version that the visitor saw. Raises ValidationError if the form does not say."""
    asked = request.POST.get("version", "")
    if not asked.isdecimal() or len(asked) > 9:
        raise ValidationError({"version": ["Load the page again: the form does not say which version you saw."]})
    return int(asked)


def _rules(request: HttpRequest) -> list[DetectionRule]:
    """The rules that are ticked. Raises ValidationError for one that does not exist."""
    wanted = set(request.POST.getlist("rules"))
    found = list(DetectionRule.objects.filter(pk__in=[pk for pk in wanted if pk.isdecimal() and len(pk) < 10]))
    if len(found) != len(wanted):
        raise ValidationError({"rules": ["One of the rules does not exist. Load the page again."]})
    return found


def _check_side(side: str, files: list[Any]) -> None:
    if side not in Evidence.Side.values:
        raise ValidationError({"side": ["Say whose evidence it is: red or blue."]})
    if not files:
        raise ValidationError({"files": ["Choose at least one file."]})
