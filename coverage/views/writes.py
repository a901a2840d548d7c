"""Moves of a test, and its evidence, as the page of the test sends them. What is refused comes back on it, with the reason."""

from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.body_limit import least_upload
from coverage.models import Evidence, Test
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.evidence import attach_evidence, expect_evidence
from coverage.services.recording import refill_commands
from coverage.testing.one_test import shown
from coverage.testing.template_choices import chosen
from coverage.views.answers import REFUSALS, done, find_test, is_part, refused, refused_in_words


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


@require_action("test.execute")
@require_POST
def refill(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the commands from the template anew, with other arguments or for another executor."""
    template = find_test(pk).template
    choice = chosen(template, request.POST) if template else {}
    arguments = choice.pop("input_arguments", None)
    return _moved(request, pk, refill_commands, "The commands are filled in anew.", arguments=arguments, **choice)


# The token stands in the body: it is asked for after the length of the body, which is refused unread where it has no room.
@require_action("evidence.add")
@csrf_exempt
@require_POST
def add_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach one or more files to one side. Those that came before one that is refused are kept."""
    test = find_test(pk)
    try:
        expect_evidence(by=cast(User, request.user), test=test, size=least_upload(request))
    except REFUSALS as refusal:
        return refused_in_words(request, refusal)
    return _added(request, test)


@csrf_protect
def _added(request: HttpRequest, test: Test) -> HttpResponse:
    user = cast(User, request.user)
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

    if is_part(request):
        return _attached(request, test, write)
    said = "The file is kept." if len(files) == 1 else f"{len(files)} files are kept."
    return _answered(request, test, write, f"{said} Its SHA-256 stands beside it.")


def _attached(request: HttpRequest, test: Test, write: Callable[[], None]) -> HttpResponse:
    """What of the page follows from a file that the page sent by itself; a refusal as plain words."""
    try:
        write()
    except REFUSALS as refusal:
        return refused_in_words(request, refusal)
    context = shown(find_test(test.pk), cast(User, request.user))
    side = request.POST["side"]
    return render(request, "coverage/test_attached.html", context | {"side": side, "given": context["evidence"][side]})


def _moved(request: HttpRequest, pk: int, service: Callable[..., Test], said: str, **more: Any) -> HttpResponse:
    test = find_test(pk)

    def write() -> None:
        service(by=cast(User, request.user), test=test, version=_version(request), **more)

    return _answered(request, test, write, said)


def _answered(request: HttpRequest, test: Test, write: Callable[[], None], said: str) -> HttpResponse:
    try:
        write()
    except REFUSALS as refusal:
        return refused(request, find_test(test.pk), refusal)
    return done(request, test, said)


def _version(request: HttpRequest) -> int:
    """The version that the visitor saw. Raises ValidationError if the form does not say."""
    asked = request.POST.get("version", "")
    if not asked.isdecimal() or len(asked) > 9:
        raise ValidationError({"version": ["Load the page again: the form does not say which version you saw."]})
    return int(asked)


def _check_side(side: str, files: list[Any]) -> None:
    if side not in Evidence.Side.values:
        raise ValidationError({"side": ["Say whose evidence it is: red or blue."]})
    if not files:
        raise ValidationError({"files": ["Choose at least one file."]})
