"""What waits for one person: tests to finish, tests to decide on, techniques to look at again, gaps to close, news to read."""

from django.db.models import F, QuerySet

from aegis.accounts.models import User
from aegis.accounts.policy import allows
from catalog.models import Technique
from coverage.models import GapAssignment, TechniqueCoverage, Test, TestInvolvement
from coverage.testing.workflow import EDITABLE
from intel.models import IntelItem


def to_finish(user: User) -> QuerySet[Test]:
    """Drafts and rejected tests that the user had a hand in, the latest write first."""
    own = TestInvolvement.objects.filter(user=user).values("test")
    return Test.objects.live().filter(state__in=EDITABLE, pk__in=own).order_by("-updated_at", "-pk")


def to_decide(user: User) -> QuerySet[Test]:
    """Tests in review that the user may decide on, those that have waited longest first; none for roles that never decide."""
    if not allows(user, "test.decide"):
        return Test.objects.none()
    return Test.objects.awaiting_decision_of(user).order_by("submitted_at", "pk")


def to_review(user: User) -> QuerySet[TechniqueCoverage]:
    """Active techniques that a lead should look at again; none for others."""
    if not allows(user, "technique.review"):
        return TechniqueCoverage.objects.none()
    active = Technique.objects.active().order_by().values("mitre_id")
    return TechniqueCoverage.objects.due_for_review().filter(technique__in=active).order_by("technique_id")


def to_close(user: User) -> QuerySet[GapAssignment]:
    """Gaps that the user owns, what is due first at the top."""
    return GapAssignment.objects.work_of(user).order_by(F("due_on").asc(nulls_last=True), "technique_id")


def to_read(user: User) -> QuerySet[IntelItem]:
    """Open items of the news that somebody gave to the user, the newest first; none for those who do not triage."""
    if not allows(user, "intel.triage"):
        return IntelItem.objects.none()
    return IntelItem.objects.assigned_to_user(user).order_by("-at", "-pk")
