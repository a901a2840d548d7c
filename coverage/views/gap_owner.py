"""Whose work a gap is: a small form, in the row of a list, on the page of the technique, and without htmx on its own page."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import came_from, render_page
from catalog.models import Technique
from coverage.gaps.owners import possible_owners
from coverage.models import GapAssignment
from coverage.models.gap import LONGEST_NOTE
from coverage.services.gaps import assign_gap
from coverage.testing.refusals import Conflict


class OwnerForm(forms.Form):
    """A person by user name, a day, and a word."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        to_field_name="username",
        empty_label="Nobody",
        widget=forms.Select(attrs={"class": "select", "autofocus": True}),
        error_messages={"invalid_choice": "Choose an active tech or lead."},
    )
    due_on = forms.DateField(
        required=False, label="Due", widget=forms.DateInput(format="%Y-%m-%d", attrs={"class": "input", "type": "date"})
    )
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, widget=forms.TextInput(attrs={"class": "input"}))

    def __init__(self, values: Any, technique: Technique, standing: GapAssignment | None) -> None:
        first = standing.facts if standing else {}
        super().__init__(values, initial=first, auto_id=f"owner-{technique.mitre_id.replace('.', '-')}-%s")
        cast("forms.ModelChoiceField[User]", self.fields["owner"]).queryset = possible_owners()

    @property
    def changes(self) -> dict[str, Any]:
        """What `assign_gap` takes; nobody has neither a day nor a note."""
        given = dict(self.cleaned_data)
        return given if given["owner"] else {"owner": None}


@require_action("gap.assign")
@require_http_methods(["GET", "HEAD", "POST"])
def gap_owner(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """The form, or what it was sent: htmx gets the part of the page that it stands in, others go back where they were."""
    technique = get_object_or_404(Technique, mitre_id=mitre_id)
    standing = _standing(technique)
    form = OwnerForm(request.POST if request.method == "POST" else None, technique, standing)
    if request.method != "POST" or not form.is_valid():
        part = "shown" if request.GET.get("part") == "shown" else "form"
        return _answer(request, technique, form, standing, part, 400 if form.errors else 200)
    try:
        standing = assign_gap(
            by=cast(User, request.user), technique=technique, changes=form.changes, seen=request.POST.get("seen")
        )
    except (Conflict, ValidationError) as refusal:
        form.add_error(None, str(refusal) if isinstance(refusal, Conflict) else refusal)
        status = 409 if isinstance(refusal, Conflict) else 400
        return _answer(request, technique, form, _standing(technique), "form", status)
    if request.htmx:  # type: ignore[attr-defined]  # django_htmx sets it
        return _answer(request, technique, form, standing, "shown", 200)
    whose = f"{standing.owner.username}’s" if standing else "nobody’s"
    messages.success(request, f"The gap of {technique.mitre_id} is {whose} now.")
    return redirect(came_from(request) or technique)


def _standing(technique: Technique) -> GapAssignment | None:
    rows = GapAssignment.objects.standing().select_related("owner", "assigned_by")
    return rows.filter(technique=technique).first()


def _answer(
    request: HttpRequest,
    technique: Technique,
    form: OwnerForm,
    standing: GapAssignment | None,
    part: str,
    status: int,
) -> HttpResponse:
    context = {
        "technique": technique,
        "mitre_id": technique.mitre_id,
        "owner": standing.shown if standing else None,
        "form": form,
        "back": came_from(request) or technique.get_absolute_url(),
        "just_set": part == "shown",
    }
    response = render_page(request, "coverage/gap_owner.html", context, partial=part, status=status)
    response["HX-Reswap"] = "outerHTML"
    return response
