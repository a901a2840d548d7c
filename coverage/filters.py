"""Filters of tests, campaigns, and techniques by what our tests say of them, for page and API alike."""

from typing import Any

import django_filters
from django.db.models import F, Q, QuerySet
from django.db.models.functions import NullIf
from django.utils import timezone

from aegis.lib.filters import Choices, Listed, Search, Since, Text, YesNo
from catalog.filters import TechniqueFilter
from catalog.models import Technique
from catalog.models.numbers import distinct_number
from compliance.models import ComplianceControlMapping
from coverage.figures.backlogs import Backlog, placed
from coverage.figures.claims import CONTROL_IN_FORCE
from coverage.figures.proof_age import AGES, of_age
from coverage.models import Campaign, Test
from coverage.techniques.status import Status
from coverage.testing.outcomes import Outcome
from coverage.testing.workflow import State
from intel.filters import ThreatActorFilter
from intel.models import ThreatActor, ThreatActorTechnique


def campaigns() -> Choices:
    """The live campaigns, the latest first."""
    rows = Campaign.objects.live().order_by("-pk").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


class TestFilter(django_filters.FilterSet):
    """Live tests, unless `archived=true` asks for those that were put away."""

    search = Search()
    state = django_filters.ChoiceFilter(choices=State.choices, empty_label="Any")
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices, empty_label="Any")
    technique = Text(method="of_technique", label="Technique")
    campaign = Listed(method="of_campaign", choices=campaigns, label="Campaign")
    created_by = Text(field_name="created_by__username", label="Created by")
    mine = YesNo(method="of_visitor", label="Mine")
    archived = YesNo(method="keep", label="Archived")
    decided_since = Since(field_name="decided_at", label="Decided since", help_text="A day, in UTC.")

    class Meta:
        model = Test
        fields: tuple[str, ...] = ()

    def of_technique(self, queryset: QuerySet[Test], name: str, value: str) -> QuerySet[Test]:
        """Tests of a technique and of its sub-techniques."""
        wanted = value.strip().upper()
        return queryset.filter(Q(technique=wanted) | Q(technique__parent=wanted))

    def of_campaign(self, queryset: QuerySet[Test], name: str, value: str) -> QuerySet[Test]:
        """Tests of one campaign, by its number; any other word finds nothing."""
        return queryset.filter(campaign=int(value)) if value.isdecimal() and len(value) < 10 else queryset.none()

    def of_visitor(self, queryset: QuerySet[Test], name: str, value: bool) -> QuerySet[Test]:
        """Tests that the visitor had a hand in or whose campaign they take part in, or all others."""
        own = Test.objects.involving(self.request.user).values("pk")
        return queryset.filter(pk__in=own) if value else queryset.exclude(pk__in=own)

    def keep(self, queryset: QuerySet[Test], name: str, value: Any) -> QuerySet[Test]:
        """No narrowing here: `filter_queryset` looks at it."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Test]) -> QuerySet[Test]:
        """The tests that were asked for."""
        found: QuerySet[Test] = super().filter_queryset(queryset)
        return (
            found.exclude(archived_at=None)
            if self.form.cleaned_data.get("archived")
            else found.filter(archived_at=None)
        )


class CampaignFilter(django_filters.FilterSet):
    """Live campaigns, unless `archived=true` asks for those that were put away."""

    search = Search()
    actor = Text(method="by_actor", label="Actor (ATT&CK id)")
    participant = Text(method="by_participant", label="Participant (username)")
    archived = YesNo(method="keep", label="Archived")

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = ()

    def by_actor(self, queryset: Any, name: str, value: str) -> Any:
        """Campaigns that try the techniques of an actor."""
        return queryset.filter(actor=value.strip().upper())

    def by_participant(self, queryset: Any, name: str, value: str) -> Any:
        """Campaigns in which somebody takes part."""
        taking_part = Campaign.participants.through.objects.filter(user__username=value)
        return queryset.filter(pk__in=taking_part.values("campaign"))

    def keep(self, queryset: Any, name: str, value: Any) -> Any:
        """No narrowing here: `filter_queryset` looks at it."""
        return queryset

    def filter_queryset(self, queryset: Any) -> Any:
        """The campaigns that were asked for."""
        found = super().filter_queryset(queryset)
        return found.exclude(archived_at=None) if self.form.cleaned_data.get("archived") else found.live()


class CoveredActorFilter(ThreatActorFilter):
    """Filters of threat actors, by what our tests say of their techniques too."""

    coverage = django_filters.ChoiceFilter(
        method="by_coverage",
        choices=[
            ("none", "Nothing proven"),
            ("some", "Something proven"),
            ("all", "All proven"),
            ("gaps", "With proven gaps"),
        ],
        label="Coverage",
        empty_label="Any",
    )

    def by_coverage(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that use techniques, by how many of these are proven, or on whose techniques tests only missed."""
        using = queryset.filter(used__gt=0)
        conditions = {
            "none": Q(proven=0),
            "some": Q(proven__gt=0),
            "all": Q(proven=F("used")),
            "gaps": Q(proven_gaps__gt=0),
        }
        return using.filter(conditions[value])


def with_proof(actors: QuerySet[ThreatActor]) -> QuerySet[ThreatActor]:
    """Actors that have `used`, with how many of these are `proven` and `proven_gaps`, and `share_proven`, from 0 to 1."""
    uses = ThreatActorTechnique.objects.filter(technique__in=Technique.objects.active().order_by().values("mitre_id"))
    proven = uses.filter(technique__coverage__proven=True)
    return actors.annotate(
        proven=distinct_number(proven, "actor", "technique"),
        proven_gaps=distinct_number(uses.filter(technique__coverage__proven_gap=True), "actor", "technique"),
        share_proven=F("proven") * 1.0 / NullIf(F("used"), 0),
    )


class CoveredTechniqueFilter(TechniqueFilter):
    """Filters of techniques, by what our tests say of them too. What stands behind each figure of a page can be listed."""

    status = django_filters.ChoiceFilter(method="by_status", choices=Status.choices, label="Status", empty_label="Any")
    review_required = YesNo(method="by_review", label="Review required")
    backlog = django_filters.ChoiceFilter(
        method="by_backlog", choices=Backlog.choices, label="Backlog", empty_label="Any"
    )
    proven = YesNo(method="by_proof", label="Proven")
    proven_gap = YesNo(method="by_gap", label="Proven gap")
    has_tests = YesNo(method="by_tests", label="Tested")
    proof_age = django_filters.ChoiceFilter(
        method="by_proof_age", choices=list(AGES.items()), label="Last proven", empty_label="Any"
    )
    framework = Text(method="by_framework", label="Framework (its slug)")

    def by_status(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques of one status; without a row they are not covered."""
        wanted = Q(coverage__status=value)
        return queryset.filter(wanted | Q(coverage=None) if value == Status.NOT_COVERED else wanted)

    def by_review(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques that a lead should look at again, or those that need no such look."""
        return (
            queryset.filter(coverage__review_required=True)
            if value
            else queryset.exclude(coverage__review_required=True)
        )

    def by_backlog(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques that stand at one place between the two backlogs."""
        return queryset.alias(place=placed()).filter(place=value)

    def by_proof(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques of which a validated test of their own met what it expected, or all others."""
        proven = Q(coverage__proven=True)
        return queryset.filter(proven) if value else queryset.exclude(proven)

    def by_gap(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques whose validated tests only missed, or all others."""
        gap = Q(coverage__proven_gap=True)
        return queryset.filter(gap) if value else queryset.exclude(gap)

    def by_tests(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques with live tests of their own, or without any."""
        tested = Q(coverage__tests_total__gt=0)
        return queryset.filter(tested) if value else queryset.exclude(tested)

    def by_proof_age(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques that were last proven so long ago."""
        return queryset.filter(of_age(value, timezone.now()))

    def by_framework(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques that a control in force of a framework is mapped to."""
        mapped = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, control__framework__slug=value)
        return queryset.filter(mitre_id__in=mapped.exclude(technique=None).order_by().values("technique"))
