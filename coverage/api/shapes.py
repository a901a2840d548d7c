"""Tests as the API writes and reads them."""

from typing import Any, Final, cast

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.models import User
from aegis.lib.api import StrictSerializer, username
from catalog.models import DetectionRule
from coverage.api.base import LARGEST_ID, ids, version_field
from coverage.models import Evidence, Test, TestOutcome
from coverage.services.recording import MOST_FACTS
from coverage.testing.offers import offered
from coverage.testing.outcomes import Outcome, Sighting, Verdict
from coverage.testing.texts import LONGEST, plausible
from coverage.testing.workflow import State

LIST_FIELDS: Final = (
    "id",
    "technique",
    "technique_name",
    "template",
    "campaign",
    "position",
    "retest_of",
    "name",
    "platform",
    "target",
    "executor",
    "red_result",
    "started_at",
    "ended_at",
    "cleanup_done",
    "expected_outcome",
    "detected_at",
    "outcome",
    "verdict",
    "state",
    "version",
    "created_by",
    "created_at",
    "updated_by",
    "updated_at",
    "last_action",
    "submitted_by",
    "submitted_at",
    "decided_by",
    "decided_at",
    "archived_at",
)
DETAIL_FIELDS: Final = (
    *LIST_FIELDS,
    "procedure",
    "input_arguments",
    "commands",
    "cleanup_commands",
    "blue_notes",
    "outcomes",
    "detection_rules",
    "time_to_detect",
    "evidence",
    "decision_note",
    "decided_on_hash",
    "offered",
)
AT: Final = "2026-01-02T03:04:05Z"
EXAMPLE: Final = {
    "id": 7,
    "technique": "T1059.001",
    "technique_name": "PowerShell",
    "template": 12,
    "campaign": None,
    "position": 0,
    "retest_of": None,
    "name": "Ask for the time",
    "platform": "Windows",
    "target": "WS-0042",
    "executor": "powershell",
    "red_result": "succeeded",
    "started_at": AT,
    "ended_at": AT,
    "cleanup_done": True,
    "expected_outcome": "alerted",
    "detected_at": None,
    "outcome": "alerted",
    "verdict": "open",
    "state": "draft",
    "version": 3,
    "created_by": "maria",
    "created_at": AT,
    "updated_by": "maria",
    "updated_at": AT,
    "last_action": "edited",
    "submitted_by": None,
    "submitted_at": None,
    "decided_by": None,
    "decided_at": None,
    "archived_at": None,
}
EVIDENCE_EXAMPLE: Final = {
    "id": "9f0c6a50-0000-4000-8000-000000000007",
    "test": 7,
    "side": "red",
    "caption": "What the shell said",
    "original_name": "shell.log",
    "content_type": "text/plain",
    "size": 1234,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "uploaded_by": "maria",
    "uploaded_at": AT,
}
DETAIL_EXAMPLE: Final = EXAMPLE | {
    "procedure": "Runs a harmless command.",
    "input_arguments": {},
    "commands": "Get-Date",
    "cleanup_commands": "",
    "blue_notes": "",
    "outcomes": [
        {
            "kind": "alerted",
            "seen": True,
            "at": AT,
            "tool": "EDR",
            "note": "",
            "entered_by": "bert",
            "entered_at": AT,
        }
    ],
    "detection_rules": [{"id": 34, "source": "sigma", "name": "Suspicious PowerShell Parent"}],
    "time_to_detect": 0.0,
    "evidence": [EVIDENCE_EXAMPLE],
    "decision_note": "",
    "decided_on_hash": "",
    "offered": ["evidence.add", "test.edit", "test.execute", "test.submit"],
}

WITH_USERS: Final = ("technique", "created_by", "updated_by", "submitted_by", "decided_by")
LISTED: Final = Test.objects.select_related(*WITH_USERS).without_texts()
DETAILED: Final = (
    Test.objects.select_related(*WITH_USERS, "template")
    .with_involvement()
    .prefetch_related(
        Prefetch("outcomes", TestOutcome.objects.select_related("entered_by")),
        Prefetch("evidence", Evidence.objects.select_related("uploaded_by")),
        Prefetch("detection_rules", DetectionRule.objects.only("source", "name").order_by("name", "pk")),
    )
)


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    """A file as evidence. Its name and type are the uploader's words; `sha256` is that of the stored bytes."""

    uploaded_by = username("uploaded_by")
    test = serializers.IntegerField(source="test_id", read_only=True)
    side = serializers.ChoiceField(choices=Evidence.Side.choices, read_only=True)

    class Meta:
        model = Evidence
        fields: tuple[str, ...] = tuple(EVIDENCE_EXAMPLE)
        read_only_fields: tuple[str, ...] = fields


@extend_schema_serializer(examples=[OpenApiExample("A draft", value=EXAMPLE)])
class TestSerializer(serializers.ModelSerializer[Test]):
    """A test in a list. `outcome` and `verdict` are derived; users are named by username."""

    technique = serializers.CharField(source="technique_id", read_only=True)
    technique_name = serializers.CharField(source="technique.name", read_only=True)
    template = serializers.IntegerField(source="template_id", allow_null=True, read_only=True)
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True, read_only=True)
    retest_of = serializers.IntegerField(source="retest_of_id", allow_null=True, read_only=True)
    red_result = serializers.ChoiceField(choices=Test.RedResult.choices, allow_blank=True, read_only=True)
    expected_outcome = serializers.ChoiceField(choices=Sighting.choices, read_only=True)
    outcome = serializers.ChoiceField(choices=Outcome.choices, read_only=True)
    verdict = serializers.ChoiceField(choices=Verdict.choices, read_only=True)
    state = serializers.ChoiceField(choices=State.choices, read_only=True)
    created_by = username("created_by")
    updated_by = username("updated_by")
    submitted_by = username("submitted_by")
    decided_by = username("decided_by")

    class Meta:
        model = Test
        fields: tuple[str, ...] = LIST_FIELDS
        read_only_fields: tuple[str, ...] = LIST_FIELDS


class OutcomeSerializer(serializers.ModelSerializer[TestOutcome]):
    """One fact about what the defence did: by which tool, when, and who wrote it down."""

    kind = serializers.ChoiceField(choices=Sighting.choices, read_only=True)
    entered_by = username("entered_by")

    class Meta:
        model = TestOutcome
        fields = ("kind", "seen", "at", "tool", "note", "entered_by", "entered_at")
        read_only_fields = fields


class FiredRuleSerializer(serializers.ModelSerializer[DetectionRule]):
    """A detection rule that fired."""

    class Meta:
        model = DetectionRule
        fields = ("id", "source", "name")
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A draft, whole", value=DETAIL_EXAMPLE)])
class TestDetailSerializer(TestSerializer):
    """A test with both halves and its evidence. `offered` names what you could do to it now; `time_to_detect` is in seconds."""

    outcomes = OutcomeSerializer(many=True, read_only=True)
    detection_rules = FiredRuleSerializer(many=True, read_only=True)
    evidence = EvidenceSerializer(many=True, read_only=True)
    input_arguments = serializers.DictField(child=serializers.CharField(), read_only=True)
    time_to_detect = serializers.SerializerMethodField()
    offered = serializers.SerializerMethodField()

    class Meta(TestSerializer.Meta):
        fields = DETAIL_FIELDS
        read_only_fields = DETAIL_FIELDS

    @extend_schema_field({"type": ["number", "null"]})
    def get_time_to_detect(self, test: Test) -> float | None:
        """Seconds from the start until the defence first saw it."""
        time = test.time_to_detect
        return None if time is None else time.total_seconds()

    def get_offered(self, test: Test) -> list[str]:
        """Actions that policy and state allow this user now."""
        user = cast(User, cast(dict[str, Any], self.context)["request"].user)
        return sorted(offered(user, test))


def short_text(longest: int = 255) -> serializers.CharField:
    """A line of text to write."""
    return serializers.CharField(required=False, allow_blank=True, max_length=longest)


def long_text() -> serializers.CharField:
    """Text to write, kept to the last space."""
    return serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=LONGEST)


def moment() -> serializers.DateTimeField:
    """A time to write; without a zone it is UTC."""
    return serializers.DateTimeField(required=False, allow_null=True, validators=[plausible])


class TestWords(StrictSerializer):
    """The fields of a test that people write."""

    name = serializers.CharField(required=False, max_length=255)
    procedure = long_text()
    platform = short_text(64)
    target = short_text()
    executor = short_text(64)
    input_arguments = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False), required=False
    )
    commands = long_text()
    cleanup_commands = long_text()
    cleanup_done = serializers.BooleanField(required=False)
    started_at = moment()
    ended_at = moment()
    red_result = serializers.ChoiceField(choices=Test.RedResult.choices, required=False, allow_blank=True)
    expected_outcome = serializers.ChoiceField(choices=Sighting.choices, required=False)
    detected_at = moment()
    blue_notes = long_text()


@extend_schema_serializer(
    examples=[
        OpenApiExample("From a template", value={"template": 12, "target": "WS-0042"}, request_only=True),
        OpenApiExample("From scratch", value={"technique": "T1059.001", "name": "Ask for the time"}, request_only=True),
    ]
)
class NewTest(TestWords):
    """A test to create, for a technique or from a template; what a template fills in may be overwritten."""

    technique = serializers.CharField(required=False, max_length=32, help_text="An ATT&CK id.")
    template = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    campaign = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LARGEST_ID)


class WrittenOutcome(StrictSerializer):
    """A fact to write: what was looked for, and whether it was seen."""

    kind = serializers.ChoiceField(choices=Sighting.choices)
    seen = serializers.BooleanField(default=True)
    at = serializers.DateTimeField(allow_null=True, default=None, validators=[plausible])
    tool = serializers.CharField(allow_blank=True, default="", max_length=128)
    note = serializers.CharField(allow_blank=True, default="", max_length=LONGEST)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "What blue saw",
            value={"version": 3, "outcomes": [{"kind": "alerted", "tool": "EDR", "at": AT}], "detection_rules": [34]},
            request_only=True,
        )
    ]
)
class TestChanges(TestWords):
    """What changes of a test. `outcomes` and `detection_rules` are whole lists that replace the standing ones."""

    outcomes = WrittenOutcome(many=True, required=False, max_length=MOST_FACTS)  # type: ignore[call-arg]  # of the list
    detection_rules = ids(required=False, help_text="Numbers of the rules that fired.")
    version = version_field()


@extend_schema_serializer(examples=[OpenApiExample("As you saw it", value={"version": 3}, request_only=True)])
class Move(StrictSerializer):
    """The version that you saw, if you say."""

    version = version_field()


@extend_schema_serializer(
    examples=[
        OpenApiExample("With a word", value={"version": 3, "note": "Seen in the console at 14:02."}, request_only=True)
    ]
)
class NotedMove(Move):
    """A move with a note."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)


@extend_schema_serializer(examples=[OpenApiExample("Why", value={"reason": "The log is cut off."}, request_only=True)])
class Rejection(Move):
    """Why a test is rejected: the testers need to know what to change."""

    reason = serializers.CharField(max_length=LONGEST)
