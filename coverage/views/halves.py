"""Saving a half of a test: the whole form from a page without JavaScript, or each field as it changes, by htmx."""

from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from catalog.models import DetectionRule
from coverage.models import Test
from coverage.services.halves import BlueChanges, mark_of, record_blue_half
from coverage.services.recording import Fact, edit_test
from coverage.services.writing import last_write
from coverage.testing.forms import BLUE_FIELDS, RED_FIELDS, BlueForm, RedForm, fact_forms
from coverage.testing.one_test import shown
from coverage.views.answers import REFUSALS, done, find_test, is_part, refused, status_of, why

SAID = {"red": "The red half is saved.", "blue": "The blue half is saved."}


@require_action("test.execute")
@require_POST
def red_half(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what was done."""
    test, user = find_test(pk), cast(User, request.user)
    form = RedForm.of(test, request.POST)
    if not form.is_valid():
        return _unsaved(request, test, None, "red", form)
    seen, over = form.remembered(RED_FIELDS), "over" in request.POST

    def write() -> None:
        edit_test(
            by=user,
            test=test,
            changes=form.written(RED_FIELDS),
            seen={} if over else seen,
            version=None if over or seen is not None else form.cleaned_data["version"],
        )

    return _answered(request, test, write, "red", form)


@require_action("test.assess")
@require_POST
def blue_half(request: HttpRequest, pk: int) -> HttpResponse:
    """Save what was seen: the facts, the rules that fired, and what was made of it."""
    test, user = find_test(pk), cast(User, request.user)
    form, rows = BlueForm.of(test, request.POST), fact_forms(test, request.POST)
    if not (form.is_valid() and rows.is_valid()):
        return _unsaved(request, test, None, "blue", form, rows)
    over = "over" in request.POST
    remembers = form.remembered(BLUE_FIELDS) is not None and {"facts-seen", "rules-seen"} <= request.POST.keys()

    def write() -> None:
        record_blue_half(
            by=user,
            test=test,
            changes=_blue_changes(request, test, form, rows),
            version=None if over or remembers else form.cleaned_data["version"],
        )

    return _answered(request, test, write, "blue", form, rows)


def _blue_changes(request: HttpRequest, test: Test, form: BlueForm, rows: Any) -> BlueChanges:
    """What the form changes; what it would overwrite is none of its concern once somebody said so."""
    over = "over" in request.POST
    ticked = set(request.POST.getlist("rules"))
    before = _ticked_before(request, test)
    return BlueChanges(
        fields=form.written(BLUE_FIELDS),
        seen={} if over else form.remembered(BLUE_FIELDS) or {},
        facts=_facts(request, test, rows),
        facts_mark="" if over else request.POST.get("facts-seen", ""),
        fired=_rules(ticked - before),
        silent=_rules(before - ticked),
    )


def _facts(request: HttpRequest, test: Test, rows: Any) -> list[Fact] | None:
    """All facts, if the form changes any. Rows stand beside the facts of the test only while these are those they showed."""
    if not any(row.has_changed() for row in rows):
        return None
    is_same = request.POST.get("facts-seen", "") in {"", mark_of(test)}
    return [fact for row in rows if (fact := row.fact() if is_same else row.typed())]


def _ticked_before(request: HttpRequest, test: Test) -> set[str]:
    if "rules-seen" in request.POST:
        return {pk for pk in request.POST["rules-seen"].split(",") if pk}
    return {str(rule.pk) for rule in test.detection_rules.all()}


def _rules(wanted: set[str]) -> list[DetectionRule]:
    """The rules with these ids. Raises ValidationError for one that does not exist."""
    found = list(DetectionRule.objects.filter(pk__in=[pk for pk in wanted if pk.isdecimal() and len(pk) < 10]))
    if len(found) != len(wanted):
        raise ValidationError({"rules": ["One of the rules does not exist. Load the page again."]})
    return found


def _answered(
    request: HttpRequest, test: Test, write: Callable[[], None], half: str, form: Any, rows: Any = None
) -> HttpResponse:
    try:
        write()
    except REFUSALS as refusal:
        return _unsaved(request, find_test(test.pk), refusal, half, form, rows)
    return _saved(request, test, half, form, rows) if is_part(request) else done(request, test, SAID[half])


def _saved(request: HttpRequest, before: Test, half: str, form: Any, rows: Any) -> HttpResponse:
    """The parts of the page that follow from the save. What was typed since stays: no field of the half is among them."""
    test, user = find_test(before.pk), cast(User, request.user)
    context = shown(test, user)
    moved_on = before.version != form.cleaned_data["version"] and before.updated_by_id != user.pk
    facts_are_new = rows is not None and any(row.has_changed() for row in rows)
    context |= {
        "half": half,
        "saved_form": type(form)(initial=form.cleaned_data, auto_id=f"{half}_%s"),
        "saved_rows": context["facts"] if facts_are_new else rows,
        "facts_seen": context["facts_seen"] if facts_are_new else request.POST.get("facts-seen", ""),
        "rules_seen": ",".join(request.POST.getlist("rules")),
        "redraws_facts": facts_are_new and ("over" in request.POST or len(context["facts"].forms) != len(rows.forms)),
        "saved_at": timezone.now(),
        "news": f"{last_write(before)}, after you opened this page." if moved_on else "",
    }
    return render(request, "coverage/test_saved.html", context)


def _unsaved(
    request: HttpRequest, test: Test, refusal: Exception | None, half: str, form: Any, rows: Any = None
) -> HttpResponse:
    """Why the half is not saved: on the whole page, or to htmx beside the fields, which stay as they are."""
    if not is_part(request):
        return refused(request, test, refusal, half=half)
    context = {"test": test, "form": form, "rows": rows} | why(test, request, refusal, half)
    response = render(request, "coverage/test_unsaved.html", context, status=status_of(refusal))
    response["HX-Reswap"] = "none"
    return response
