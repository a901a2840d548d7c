"""The form of a new campaign: its plan in words, and the techniques or the actor that its tests come from."""

import re
from typing import Any

from django import forms

from aegis.accounts.models import User
from catalog.models import Technique
from coverage.forms import Script, Styled
from intel.models import ThreatActor

MOST_TECHNIQUES = 200


class CampaignForm(Styled):
    """Everything that `create_campaign` takes, by name."""

    name = forms.CharField(max_length=255)
    goal = Script(rows=3)
    starts_on = forms.DateField(
        required=False, label="Starts on", widget=forms.TextInput(attrs={"placeholder": "YYYY-MM-DD"})
    )
    ends_on = forms.DateField(
        required=False, label="Ends on", widget=forms.TextInput(attrs={"placeholder": "YYYY-MM-DD"})
    )
    techniques = forms.CharField(
        required=False,
        max_length=4000,
        help_text="ATT&CK ids, such as T1059.001 T1003; a draft is made for each.",
    )
    actor = forms.CharField(
        required=False, max_length=16, help_text="Or an actor, such as G0016: a draft for each technique that it uses."
    )
    participants = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="They may edit its tests. You take part yourself.",
    )

    def clean_techniques(self) -> list[Technique]:
        """The techniques of these ids, in their order. Raises ValidationError that names those that are none."""
        wanted = list(dict.fromkeys(re.findall(r"[^\s,;]+", self.cleaned_data["techniques"].upper())))
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
