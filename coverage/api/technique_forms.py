"""What is sent to write a technique of the organisation's own."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from aegis.lib.api import StrictSerializer
from catalog.local import ID_RULE, LONGEST_NAME, LONGEST_TEXT, LONGEST_URL, MOST_PLATFORMS, MOST_TACTICS
from coverage.api.base import version_field
from coverage.testing.texts import LONGEST

NEW_EXAMPLE: Final = {
    "mitre_id": "T9001",
    "name": "Payment file swap",
    "description": "Somebody swaps a payment file between its approval and the bank.",
    "tactics": ["impact"],
    "platforms": ["Windows"],
    "url": "https://wiki.example.org/threats/payment-file-swap",
}


def words(longest: int, *, named: bool = False, help_text: str = "") -> serializers.CharField:
    """A text as it is written; `named` ones cannot be empty. What may stand in it, `catalog.local` says."""
    return serializers.CharField(
        required=named, allow_blank=not named, max_length=longest, trim_whitespace=named, help_text=help_text
    )


def names(most: int, help_text: str) -> serializers.ListField:
    """A list of words."""
    child = serializers.CharField(max_length=64)
    return serializers.ListField(child=child, required=False, max_length=most, help_text=help_text)


class TechniqueWords(StrictSerializer):
    """What can be changed of a local technique."""

    description = words(LONGEST_TEXT, help_text="Markdown.")
    tactics = names(
        MOST_TACTICS, "Short names. A sub-technique stands in tactics of its parent, in all if it names none."
    )
    tactic = serializers.CharField(required=False, max_length=64, help_text="Short for `tactics` with this one.")
    platforms = names(MOST_PLATFORMS, "As ATT&CK writes them, or your own.")
    url = words(LONGEST_URL, help_text="A page that says more.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The fields without `tactic`. Raises ValidationError if that is not the first of `tactics`."""
        first = attrs.pop("tactic", None)
        if first is None:
            return attrs
        if attrs.setdefault("tactics", [first])[:1] != [first]:
            raise serializers.ValidationError({"tactic": "This is not the first of `tactics`: leave one of both out."})
        return attrs


@extend_schema_serializer(examples=[OpenApiExample("A local technique", value=NEW_EXAMPLE, request_only=True)])
class NewTechnique(TechniqueWords):
    """A technique of your own. It needs a tactic, unless it stands below another technique."""

    mitre_id = serializers.CharField(max_length=32, help_text=ID_RULE)
    name = words(LONGEST_NAME, named=True)
    parent = serializers.CharField(  # type: ignore[assignment]
        required=False, allow_null=True, max_length=32, help_text="The id says it: if you name it too, it has to agree."
    )


@extend_schema_serializer(
    examples=[OpenApiExample("Other platforms", value={"platforms": ["Windows", "SAP"]}, request_only=True)]
)
class TechniqueChanges(TechniqueWords):
    """What changes of a local technique; the id and the parent stay."""

    name = serializers.CharField(required=False, max_length=LONGEST_NAME)
    version = version_field()


@extend_schema_serializer(
    examples=[OpenApiExample("With a word why", value={"note": "We sold that system."}, request_only=True)]
)
class TechniqueNote(StrictSerializer):
    """A word for the audit trail, if there is one."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)
    version = version_field()
