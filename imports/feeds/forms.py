"""The form of a feed, on its page and in the Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from imports.feeds.managing import FIELDS, refusal, twin
from intel.models import Feed

if TYPE_CHECKING:
    BaseForm = forms.ModelForm[Feed]
else:
    BaseForm = forms.ModelForm


class FeedForm(BaseForm):
    """What an admin says of a feed."""

    class Meta:
        model = Feed
        fields = FIELDS
        labels = {"url": "Address", "every_hours": "Scan every", "fetch_pages": "Fetch pages", "kind": "Format"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "url", "every_hours"):
            self.fields[name].widget.attrs["class"] = "input"
        self.fields["kind"].widget.attrs["class"] = "select"
        self.fields["url"].widget.input_type = "url"
        self.fields["every_hours"].widget.attrs |= {"min": 1, "max": 8760}

    def clean_url(self) -> str:
        """The address. Raises ValidationError with the host, and what to set, where nothing is fetched from it."""
        url = str(self.cleaned_data["url"])
        if reason := refusal(url) or ("url" in self.changed_data and twin(self.instance, url)):
            raise forms.ValidationError(reason)
        return url
