"""The forms of a technique of the organisation's own."""

import re
from typing import Any, Final

from django import forms

from aegis.lib.filters import distinct_items
from catalog.local import LOCAL_ID, LONGEST_NAME, LONGEST_TEXT, LONGEST_URL, WRITABLE
from catalog.models import Tactic, Technique
from coverage.services.techniques import facts_of
from coverage.testing.forms import Styled

FIRST: Final = 9001
LAST: Final = 9999
FIRST_BELOW_ATTACK: Final = 901
LAST_BELOW: Final = 999


class TechniqueForm(Styled):
    """What `edit_technique` takes. What may be written, the service decides."""

    name = forms.CharField(max_length=LONGEST_NAME)
    description = forms.CharField(
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What somebody does, and what it does to you. Markdown.",
    )
    tactics = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The columns of the matrix that it stands in. A sub-technique with none stands where its parent does.",
    )
    platforms = forms.CharField(max_length=2000, required=False)
    url = forms.CharField(
        max_length=LONGEST_URL,
        required=False,
        label="Page that says more",
        widget=forms.TextInput(attrs={"inputmode": "url"}),
    )

    def __init__(self, *args: Any, parent: Technique | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tactics = Tactic.objects.active()
        if parent is not None:
            tactics = tactics.filter(shortname__in=parent.technique_tactics.values("tactic"))
        self.fields["tactics"].choices = tactics.values_list("shortname", "name")  # type: ignore[attr-defined]
        known = distinct_items(Technique.objects.active(), "platforms")
        self.fields["platforms"].help_text = _hint([name for name, _ in known])

    def clean_platforms(self) -> list[str]:
        """The platforms: what stands between commas."""
        return [name.strip() for name in re.split("[,\n]", self.cleaned_data["platforms"]) if name.strip()]

    def values(self) -> dict[str, Any]:
        """What the services take, by name."""
        return {name: self.cleaned_data[name] for name in (*WRITABLE, "mitre_id") if name in self.cleaned_data}


class SeenVersion(forms.Form):
    """The version that a page showed, where it says so."""

    version = forms.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


def seen_version(data: Any) -> int | None:
    """The version that a form names; None if it names none that there could be."""
    form = SeenVersion(data)
    return form.cleaned_data["version"] if form.is_valid() else None


class NewTechniqueForm(TechniqueForm):
    """What `create_technique` takes."""

    mitre_id = forms.CharField(
        max_length=32,
        label="Id",
        help_text="T9000 to T9999, and T9001.001 below it; or .900 to .999 below a technique of ATT&CK, such as T1059.901.",
        widget=forms.TextInput(attrs={"class": "input--num", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    field_order = ("mitre_id", "name", "description", "tactics", "platforms", "url")


def written(technique: Technique) -> dict[str, Any]:
    """What the form of a technique begins with."""
    return facts_of(technique) | {"platforms": ", ".join(technique.platforms)}


def next_id() -> str:
    """The first id that no technique has, empty if all are taken."""
    return _free("T", range(FIRST, LAST + 1))


def next_id_below(technique: Technique) -> str:
    """The first id of a sub-technique that none has, empty if all are taken."""
    first = 1 if LOCAL_ID.fullmatch(technique.mitre_id) else FIRST_BELOW_ATTACK
    return _free(f"{technique.mitre_id}.", range(first, LAST_BELOW + 1))


def _free(start: str, numbers: range) -> str:
    taken = set(Technique.objects.filter(mitre_id__startswith=start).values_list("mitre_id", flat=True))
    return next((name for number in numbers if (name := f"{start}{number:03}") not in taken), "")


def _hint(known: list[str]) -> str:
    return f"Separated by commas: {', '.join(known)}; or your own." if known else "Separated by commas."
