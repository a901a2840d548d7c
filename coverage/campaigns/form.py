"""The forms of a campaign: its plan in words, and the techniques, templates or actor that its tests come from."""

import re
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import Model, QuerySet

from aegis.accounts.models import User
from aegis.lib.upstreams import upstream
from catalog.models import Technique, TestTemplate
from coverage.testing.forms import Script, Styled
from intel.models import ThreatActor

if TYPE_CHECKING:
    BaseTemplatesField = forms.ModelMultipleChoiceField[TestTemplate]
else:
    BaseTemplatesField = forms.ModelMultipleChoiceField

MOST_TECHNIQUES = 200
MOST_TEMPLATES = 100
ASKS_AGAIN = {
    "hx-get": "",
    "hx-trigger": "change",
    "hx-include": "closest form",
    "hx-params": "not csrfmiddlewaretoken",
    "hx-target": "#fields",
    "hx-select": "#fields",
    "hx-swap": "outerHTML",
}
"""htmx draws the fields anew once techniques are named: then it is known which templates there are."""


def _calendar() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class PlanForm(Styled):
    """The plan of a campaign: what `edit_campaign` takes."""

    name = forms.CharField(max_length=255)
    goal = Script(rows=3)
    starts_on = forms.DateField(required=False, label="Starts on", widget=_calendar())
    ends_on = forms.DateField(required=False, label="Ends on", widget=_calendar())
    participants = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They may edit its tests. You take part yourself.",
    )


class TemplatesField(BaseTemplatesField):
    """Templates to tick. Those of several techniques and sources stand in one list, so each says whose it is."""

    def label_from_instance(self, obj: Model) -> str:
        """Technique, name and source: "T1105 · Curl Upload File · Atomic"."""
        template = cast(TestTemplate, obj)
        return f"{template.technique_id} · {template.name} · {upstream(template.source).name}"


class TestsForm(Styled):
    """The techniques, the templates of theirs and the actor that tests come from: what `add_tests` takes, by name."""

    techniques = forms.CharField(
        required=False,
        max_length=4000,
        help_text="ATT&CK ids, such as T1059.001 T1003; a draft is made for each.",
    )
    actor = forms.CharField(
        required=False, max_length=16, widget=forms.Select, help_text="A draft for each technique that it uses."
    )
    templates = TemplatesField(
        TestTemplate.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Each gives a draft with its commands; a technique without one gives an empty draft.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["techniques"].widget.attrs |= ASKS_AGAIN
        self.fields["actor"].widget.choices = [("", "None"), *_actors()]
        offered = self._offered()
        if offered is None:
            del self.fields["templates"]
        else:
            self.fields["templates"].queryset = offered  # type: ignore[attr-defined]

    def _offered(self) -> QuerySet[TestTemplate] | None:
        """Templates of the techniques that are named so far; None without any."""
        named = self.data.get("techniques") if self.is_bound else self.initial.get("techniques")
        found = TestTemplate.objects.current().filter(technique__in=_ids(str(named or ""))[:MOST_TECHNIQUES])
        few = found.order_by("technique", "name", "pk")[:MOST_TEMPLATES]
        chosen = TestTemplate.objects.filter(pk__in=[template.pk for template in few])
        return chosen.order_by("technique", "name", "pk") if chosen else None

    def clean_techniques(self) -> list[Technique]:
        """The techniques of these ids, in their order. Raises ValidationError that names those that are none."""
        wanted = _ids(self.cleaned_data["techniques"])
        if len(wanted) > MOST_TECHNIQUES:
            raise forms.ValidationError(f"At most {MOST_TECHNIQUES} techniques.")
        found: dict[Any, Technique] = Technique.objects.active().in_bulk(wanted, field_name="mitre_id")
        if unknown := [mitre_id for mitre_id in wanted if mitre_id not in found]:
            raise forms.ValidationError(f"No active technique has the id {', '.join(unknown[:5])}.")
        return [found[mitre_id] for mitre_id in wanted]

    def clean_actor(self) -> ThreatActor | None:
        """The active actor of that id. Raises ValidationError if there is none."""
        wanted = self.cleaned_data["actor"].strip().upper()
        actor: ThreatActor | None = ThreatActor.objects.active().filter(mitre_id=wanted).first() if wanted else None
        if wanted and actor is None:
            raise forms.ValidationError(f"No active actor has the id {wanted}.")
        return actor

    def sources(self) -> dict[str, Any]:
        """What the tests are made from: techniques for which a template is chosen come with that alone."""
        data = self.cleaned_data
        templates = list(data.get("templates") or ())
        with_template = {template.technique_id for template in templates}
        techniques = [technique for technique in data["techniques"] if technique.mitre_id not in with_template]
        return {"techniques": techniques, "templates": templates, "actor": data["actor"]}


class CampaignForm(PlanForm, TestsForm):
    """Everything that `create_campaign` takes, by name."""

    field_order = ("name", "goal", "starts_on", "ends_on", "techniques", "templates", "actor", "participants")

    def plan(self) -> dict[str, Any]:
        """What `create_campaign` takes."""
        return {name: self.cleaned_data[name] for name in PlanForm.base_fields} | self.sources()


def _ids(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"[^\s,;]+", text.upper())))


def _actors() -> list[tuple[str, str]]:
    """Active actors for a choice, by name: id, and name with the id."""
    rows = ThreatActor.objects.active().order_by("name").values_list("mitre_id", "name")
    return [(mitre_id, f"{name} ({mitre_id})") for mitre_id, name in rows]
