"""A test: one execution of a procedure against a technique, what each side saw of it, and who decided what it shows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from aegis.accounts.models import User
from coverage.models.campaign import Campaign
from coverage.testing.outcomes import SHORT_OF, Outcome, Sighting, Verdict, verdict
from coverage.testing.texts import LONG, SHORT, arguments, plausible
from coverage.testing.workflow import DECIDED, OPEN, State


class TestQuerySet(models.QuerySet["Test"]):
    """What a team asks about tests."""

    def live(self) -> Self:
        """Tests that are not archived: those that count."""
        return self.filter(archived_at=None)

    def open(self) -> Self:
        """Live tests on which nobody has decided yet."""
        return self.live().filter(state__in=OPEN)

    def missed(self) -> Self:
        """Live, validated tests on which less was seen than they expected."""
        short = Q()
        for expected, outcomes in SHORT_OF.items():
            short |= Q(expected_outcome=expected, outcome__in=outcomes)
        return self.live().filter(short, state=State.VALIDATED)

    def awaiting_decision_of(self, user: User) -> Self:
        """Live tests in review with which `user` had nothing to do: those that they could decide on, were they a lead."""
        involved = TestInvolvement.objects.filter(test=OuterRef("pk"), user=user)
        return self.live().filter(~Exists(involved), state=State.IN_REVIEW)

    def involving(self, user: User) -> Self:
        """Tests that `user` had a hand in, or whose campaign they take part in."""
        involved = TestInvolvement.objects.filter(test=OuterRef("pk"), user=user)
        taking_part = Campaign.participants.through.objects.filter(campaign=OuterRef("campaign"), user=user)
        return self.filter(Exists(involved) | Exists(taking_part))

    def in_campaign_order(self) -> Self:
        """Tests as their campaign lists them."""
        return self.order_by("position", "pk")

    def search(self, text: str) -> Self:
        """Tests whose name, technique, target or procedure holds `text`."""
        return self.filter(
            Q(name__icontains=text)
            | Q(technique__mitre_id__icontains=text)
            | Q(technique__name__icontains=text)
            | Q(target__icontains=text)
            | Q(procedure__icontains=text)
        )

    def with_involvement(self) -> Self:
        """Tests with all that the policy asks about them: two queries however many tests, or three with campaigns."""
        return self.prefetch_related("involvements", "campaign__participants")

    def without_texts(self) -> Self:
        """Rows for lists: the long texts are left in the database."""
        return self.defer("procedure", "commands", "cleanup_commands", "blue_notes", "decision_note", "input_arguments")


class Test(models.Model):
    """Red half: what was done. Blue half: what was seen. Times are those of the events.

    `outcome` is derived from the outcomes (`coverage.testing.outcomes.headline`). `version` counts writes: who wants to write
    names the one that they saw. `decided_*` and `decision_note` are about the last decision, and stay while a rejected test is
    reworked; `decided_on_hash` is the SHA-256 of what was shown to the decider (`coverage.services.shown`).
    """

    State = State

    class RedResult(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"
        BLOCKED = "blocked", "Blocked"

    technique = models.ForeignKey("catalog.Technique", models.PROTECT, to_field="mitre_id", related_name="tests")
    template = models.ForeignKey("catalog.TestTemplate", models.PROTECT, null=True, blank=True, related_name="tests")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="tests")
    position = models.PositiveIntegerField(default=0)
    retest_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retests")
    name = models.CharField(max_length=255, validators=SHORT)

    procedure = models.TextField(blank=True, validators=LONG)
    platform = models.CharField(max_length=64, blank=True, validators=SHORT)
    target = models.CharField(max_length=255, blank=True, validators=SHORT)
    executor = models.CharField(max_length=64, blank=True, validators=SHORT)
    input_arguments = models.JSONField(default=dict, blank=True, validators=[arguments])
    commands = models.TextField(blank=True, validators=LONG)
    cleanup_commands = models.TextField(blank=True, validators=LONG)
    cleanup_done = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True, validators=[plausible])
    ended_at = models.DateTimeField(null=True, blank=True, validators=[plausible])
    red_result = models.CharField(max_length=16, choices=RedResult, blank=True)

    expected_outcome = models.CharField(max_length=16, choices=Sighting, default=Sighting.ALERTED)
    detected_at = models.DateTimeField(null=True, blank=True, validators=[plausible])
    detection_rules = models.ManyToManyField("catalog.DetectionRule", blank=True, related_name="tests")
    blue_notes = models.TextField(blank=True, validators=LONG)
    outcome = models.CharField(
        max_length=16, choices=Outcome, default=Outcome.NOT_TESTED, editable=False, db_index=True
    )

    state = models.CharField(max_length=16, choices=State, default=State.DRAFT, editable=False, db_index=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    last_action = models.CharField(max_length=64, default="created", editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="tests_created")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    updated_at = models.DateTimeField(auto_now_add=True, db_index=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="tests_submitted", editable=False
    )
    submitted_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="tests_decided", editable=False
    )
    decided_at = models.DateTimeField(null=True, editable=False)
    decision_note = models.TextField(blank=True, editable=False, validators=LONG)
    decided_on_hash = models.CharField(max_length=64, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)

    objects = TestQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["campaign", "position"], name="test_in_campaign"),
            # The menu of every page counts them, and the matrix those of a campaign by technique.
            models.Index(fields=["campaign", "technique"], condition=Q(archived_at=None), name="live_tests"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="test_state_is_known"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="test_outcome_is_known"),
            models.CheckConstraint(condition=Q(expected_outcome__in=Sighting.values), name="test_expectation_is_known"),
            models.CheckConstraint(
                condition=~Q(state__in=DECIDED)
                | (Q(decided_by__isnull=False) & Q(decided_at__isnull=False) & ~Q(decided_on_hash="")),
                name="test_decision_has_a_decider",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.REJECTED) | ~Q(decision_note=""), name="test_rejection_has_a_reason"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("created_by")),
                name="test_is_not_decided_by_its_creator",
            ),
            models.CheckConstraint(
                condition=Q(started_at__isnull=True) | Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="test_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.technique_id} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("coverage:test-detail", args=[self.pk])

    @property
    def is_archived(self) -> bool:
        """Whether the test was put away: it stays readable, and counts for nothing."""
        return self.archived_at is not None

    @property
    def is_decided(self) -> bool:
        """Whether somebody validated or rejected the test."""
        return self.state in DECIDED

    @property
    def verdict(self) -> Verdict:
        """What the test says for the status of its technique."""
        return verdict(State(self.state), Outcome(self.outcome), Sighting(self.expected_outcome))

    @property
    def first_seen_at(self) -> datetime | None:
        """When the defence first saw it: `detected_at`, or else the earliest alert or prevention with a time."""
        times = [fact.at for fact in self.outcomes.all() if fact.seen and fact.at and fact.kind != Sighting.LOGGED]
        return self.detected_at or min(times, default=None)

    @property
    def time_to_detect(self) -> timedelta | None:
        """From the start until the defence first saw it; none where either time is unknown or the clocks disagree."""
        seen = self.first_seen_at
        return seen - self.started_at if seen and self.started_at and seen >= self.started_at else None

    @property
    def involved_ids(self) -> Collection[int]:
        """Users who had a hand in the test, as the policy asks for them."""
        return {involvement.user_id for involvement in self.involvements.all()}

    @property
    def participant_ids(self) -> Collection[int]:
        """Users who take part in the test's campaign, as the policy asks for them."""
        return {user.pk for user in self.campaign.participants.all()} if self.campaign else set()


class TestOutcome(models.Model):
    """One fact about what the defence did, by one tool: it was looked for, and `seen` or not.

    `at` is when the tool saw it, `entered_at` when somebody wrote that down.
    """

    test = models.ForeignKey(Test, models.PROTECT, related_name="outcomes")
    kind = models.CharField(max_length=16, choices=Sighting)
    seen = models.BooleanField()
    at = models.DateTimeField(null=True, blank=True, validators=[plausible])
    tool = models.CharField(max_length=128, blank=True, validators=SHORT)
    note = models.TextField(blank=True, validators=LONG)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=Sighting.values), name="test_outcome_kind_is_known")]

    def __str__(self) -> str:
        return f"{'' if self.seen else 'not '}{self.kind} by {self.tool or 'an unnamed tool'}"


class TestInvolvement(models.Model):
    """That a user had a hand in a test: reason enough not to decide on it, for ever. Triggers refuse to change or delete it."""

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        EDITED = "edited", "Edited"
        EXECUTED = "executed", "Executed"
        ASSESSED = "assessed", "Assessed"
        EVIDENCE = "evidence", "Gave evidence"

    test = models.ForeignKey(Test, models.PROTECT, related_name="involvements")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="test_involvements")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "test", "kind"], name="unique_test_involvement")]

    def __str__(self) -> str:
        return f"user {self.user_id} {self.kind} test {self.test_id}"
