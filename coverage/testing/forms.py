"""Forms of the test page: the red half, the blue half with its facts, and a new test. What may be written, services decide."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.db.models import QuerySet

from catalog.models import Technique, TestTemplate
from coverage.models import Campaign, Test
from coverage.services.recording import Fact
from coverage.testing.outcomes import Sighting
from coverage.testing.template_choices import argument_fields, chosen, ways

TIME: Final = "%Y-%m-%d %H:%M:%S"
SEEN: Final = (("", "Not recorded"), ("yes", "Seen"), ("no", "Not seen"))
LOOKS: Final = {"Textarea": "textarea", "Select": "select", "TextInput": "input", "DateInput": "input"}
RED_FIELDS: Final = (
    "name",
    "procedure",
    "platform",
    "target",
    "executor",
    "commands",
    "started_at",
    "ended_at",
    "red_result",
    "cleanup_commands",
    "cleanup_done",
)
BLUE_FIELDS: Final = ("expected_outcome", "detected_at", "blue_notes")


class Styled(forms.Form):
    """Gives every field the look of the house."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        for field in self.fields.values():
            widget = field.widget
            kind = LOOKS.get(type(widget).__name__, "")
            if kind:
                widget.attrs["class"] = f"{kind} {widget.attrs.get('class', '')}".strip()

    def written(self, names: Iterable[str]) -> dict[str, Any]:
        """The values that differ from those that the form began with; an empty choice or time is what the model calls empty."""
        return {name: self.cleaned_data[name] for name in names if name in self.changed_data}


class Remembering(Styled):
    """A form whose page says beside each field what that showed, so that only what somebody changed is written.

    Where the page does not say it, the values of the test stand in for it, and the whole version has to be the one seen.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.show_hidden_initial = name != "version" and self._tells(name)

    def _tells(self, name: str) -> bool:
        return not self.is_bound or self.add_initial_prefix(name) in self.data

    def remembered(self, names: Iterable[str]) -> dict[str, Any] | None:
        """What the page showed in those of the fields that somebody changed; None if it does not say."""
        changed = [name for name in names if name in self.changed_data]
        if not all(self._tells(name) for name in names):
            return None
        return {name: self._shown(name) for name in changed}

    def _shown(self, name: str) -> Any:
        field = self.fields[name]
        return field.to_python(
            field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        )


class Script(forms.CharField):
    """Long text, kept to the letter but for the line ends, which a browser always sends as CR LF."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "class": "input--num"})
        super().__init__(strip=False, required=False, widget=widget, **kwargs)

    def to_python(self, value: Any) -> str:
        """The text with plain line feeds."""
        return str(super().to_python(value) or "").replace("\r\n", "\n")

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether somebody typed, and not merely the browser sent other line ends."""
        return self.to_python(initial) != self.to_python(data)


class Moment(forms.DateTimeField):
    """A time in UTC, as 2026-01-31 14:02:11."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "input--num", "placeholder": "YYYY-MM-DD HH:MM:SS", "autocomplete": "off"}
        widget = forms.DateTimeInput(format=TIME, attrs={**attrs, "class": "input input--num"})
        messages = {"invalid": "Write a time as 2026-01-31 14:02:11, in UTC."}
        super().__init__(required=False, widget=widget, error_messages=messages, **kwargs)


class RedForm(Remembering):
    """What was done, to what, when, and how it ended."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=255)
    procedure = Script(rows=4)
    target = forms.CharField(max_length=255, required=False)
    platform = forms.CharField(max_length=64, required=False)
    executor = forms.CharField(max_length=64, required=False)
    commands = Script(rows=8, label="Commands as run")
    started_at = Moment(label="Started")
    ended_at = Moment(label="Ended")
    red_result = forms.ChoiceField(
        choices=[("", "Not run"), *Test.RedResult.choices], required=False, label="Result", widget=forms.Select
    )
    cleanup_commands = Script(rows=4, label="Cleanup commands")
    cleanup_done = forms.BooleanField(required=False, label="Cleanup done")

    @classmethod
    def of(cls, test: Test, data: Any = None) -> "RedForm":
        """The form of a test as it stands, with what somebody typed if they did."""
        return cls(data, initial={name: getattr(test, name) for name in (*RED_FIELDS, "version")}, auto_id="red_%s")


class BlueForm(Remembering):
    """What was expected, and what was made of it."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    expected_outcome = forms.ChoiceField(choices=Sighting.choices, label="Expected")
    detected_at = Moment(label="Detected at")
    blue_notes = Script(rows=4, label="Note")

    @classmethod
    def of(cls, test: Test, data: Any = None) -> "BlueForm":
        """The form of a test as it stands, with what somebody typed if they did."""
        return cls(data, initial={name: getattr(test, name) for name in (*BLUE_FIELDS, "version")}, auto_id="blue_%s")


class FactForm(Remembering):
    """One fact: what one tool did, or did not."""

    kind = forms.ChoiceField(choices=[("", "Another tool saw it …"), *Sighting.choices], required=False)
    seen = forms.ChoiceField(choices=SEEN, required=False)
    at = Moment()
    tool = forms.CharField(max_length=128, required=False)
    note = forms.CharField(max_length=2000, required=False)

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where something was written and it is not said whether it was seen."""
        data = super().clean() or {}
        if not data.get("seen") and (data.get("at") or data.get("tool") or data.get("note")):
            self.add_error("seen", "Say whether it was seen.")
        if data.get("seen") and not data.get("kind"):
            self.add_error("kind", "Say what was seen: prevented, alerted or logged.")
        return data

    @property
    def fixed_kind(self) -> str:
        """What the row is about, in words; empty for the row in which that is chosen."""
        kind = self.initial.get("kind", "")
        return Sighting(kind).label if kind else ""

    def fact(self) -> Fact | None:
        """The fact of a valid row, None where nothing was recorded; an untouched one to the microsecond as it was."""
        return self.typed() if self.has_changed() else self.initial.get("standing")

    def typed(self) -> Fact | None:
        """The fact as the row says it, to the second; None where nothing was recorded."""
        data = self.cleaned_data
        if not data.get("seen"):
            return None
        return Fact(kind=data["kind"], seen=data["seen"] == "yes", at=data["at"], tool=data["tool"], note=data["note"])


FactFormSet = forms.formset_factory(FactForm, extra=1, max_num=100, validate_max=True)


def fact_forms(test: Test, data: Any = None) -> Any:
    """The facts of a test as rows: those that it has, one for each kind without any, and one to choose."""
    standing = [_row(outcome) for outcome in test.outcomes.all()]
    have = {row["kind"] for row in standing}
    blank = [{"kind": kind.value} for kind in reversed(Sighting) if kind.value not in have]
    order = {kind.value: place for place, kind in enumerate(reversed(Sighting))}
    rows = sorted([*standing, *blank], key=lambda row: order[str(row["kind"])])
    forms_of_facts = FactFormSet(data, initial=rows, prefix="facts")
    for form in forms_of_facts:
        form.empty_permitted = False
    return forms_of_facts


def _row(outcome: Any) -> dict[str, Any]:
    fact = Fact(kind=outcome.kind, seen=outcome.seen, at=outcome.at, tool=outcome.tool, note=outcome.note)
    shown = {"kind": fact.kind, "seen": "yes" if fact.seen else "no", "at": fact.at, "tool": fact.tool}
    return {**shown, "note": fact.note, "standing": fact}


class NewTestForm(Styled):
    """A test from scratch, or from a template: then everything that is left empty comes from there."""

    technique = forms.CharField(max_length=16, required=False, help_text="An ATT&CK id, such as T1059.001.")
    name = forms.CharField(max_length=255, required=False, help_text="Empty: as the template or the technique.")
    target = forms.CharField(max_length=255, required=False, help_text="The host or account it will run on.")
    expected_outcome = forms.ChoiceField(choices=Sighting.choices, required=False, initial=Sighting.ALERTED)
    way = forms.ChoiceField(required=False, label="Run with")
    campaign = forms.ModelChoiceField(Campaign.objects.none(), required=False, empty_label="None")

    def __init__(self, *args: Any, template: TestTemplate | None, campaigns: QuerySet[Campaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.template = template
        found = ways(template) if template else []
        self.fields["way"].choices = found  # type: ignore[attr-defined]
        if len(found) < 2:
            del self.fields["way"]
        if template:
            self.fields |= argument_fields(template)
        if template and template.technique_id:
            del self.fields["technique"]
        elif asked := self.initial.get("technique"):
            self._name(asked)
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]

    def _name(self, mitre_id: str) -> None:
        """Say beside the id which technique that is."""
        if known := Technique.objects.filter(mitre_id=mitre_id).first():
            self.fields["technique"].help_text = known.name

    def clean_technique(self) -> Technique | None:
        """The technique of that id. Raises ValidationError if there is none."""
        wanted = self.cleaned_data["technique"].strip().upper()
        found: Technique | None = Technique.objects.filter(mitre_id=wanted).first() if wanted else None
        if wanted and found is None:
            raise forms.ValidationError(f"No technique has the id {wanted}.")
        if found is None:
            raise forms.ValidationError("Say which technique the test is for.")
        return found

    def plan(self) -> Mapping[str, Any]:
        """What `create_test` takes of a valid form: only what somebody wrote."""
        data = self.cleaned_data
        plan = {name: data[name] for name in ("name", "target", "expected_outcome", "campaign") if data.get(name)}
        if "technique" in data:
            plan["technique"] = data["technique"]
        if self.template:
            plan |= chosen(self.template, self.data)
        return {**plan, "template": self.template}
