"""Campaigns: planned from techniques, templates or an actor, put in order, repeated."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record, record_each
from catalog.models import Technique, TestTemplate
from coverage.models import Campaign, Test, TestInvolvement
from coverage.services.creation import draft, facts_of, next_position, with_template
from coverage.services.fields import FIELDS, RESULTS
from coverage.services.status import refresh_status
from coverage.services.writing import locked_campaign, permit
from intel.models import ThreatActor

EDITABLE: Final = ("name", "goal", "starts_on", "ends_on")


@transaction.atomic
def create_campaign(
    *,
    by: User,
    name: str,
    goal: str = "",
    starts_on: date | None = None,
    ends_on: date | None = None,
    participants: Iterable[User] = (),
    techniques: Iterable[Technique] = (),
    templates: Iterable[TestTemplate] = (),
    actor: ThreatActor | None = None,
) -> Campaign:
    """A campaign with one draft per technique and template, and per active technique of the actor.

    Whoever plans it takes part in it, and has created its tests. Raises NotAllowed, ValidationError {field: messages}.
    """
    permit(by, "campaign.manage")
    campaign = Campaign(name=name.strip(), goal=goal, starts_on=starts_on, ends_on=ends_on, actor=actor, created_by=by)
    _saved(campaign)
    campaign.participants.set({by, *participants})
    _planned(by, campaign, [*techniques, *(used_by(actor) if actor else ())], templates)
    record(by, "campaign.created", campaign, after=_facts(campaign))
    return campaign


@transaction.atomic
def edit_campaign(
    *, by: User, campaign: Campaign, changes: Mapping[str, Any], participants: Iterable[User] | None = None
) -> Campaign:
    """The campaign with changes to its name, goal and period, and with these participants if any are given.

    Raises NotAllowed, Conflict if it is archived, ValidationError {field: messages}.
    """
    campaign = locked_campaign(by, campaign)
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise ValidationError(dict.fromkeys(unknown, "No such field, or not one that can be written."))
    before = _facts(campaign)
    for name, value in changes.items():
        setattr(campaign, name, value.strip() if name == "name" and isinstance(value, str) else value)
    _saved(campaign)
    if participants is not None:
        campaign.participants.set(participants)
    after = _facts(campaign)
    if before != after:
        record(by, "campaign.edited", campaign, before=before, after=after)
    return campaign


@transaction.atomic
def add_tests(
    *,
    by: User,
    campaign: Campaign,
    techniques: Iterable[Technique] = (),
    templates: Iterable[TestTemplate] = (),
    actor: ThreatActor | None = None,
) -> list[Test]:
    """Drafts at the end of the campaign, one per technique and template. Raises NotAllowed, Conflict, ValidationError."""
    campaign = locked_campaign(by, campaign)
    return _planned(by, campaign, [*techniques, *(used_by(actor) if actor else ())], templates)


@transaction.atomic
def reorder(*, by: User, campaign: Campaign, tests: Sequence[int]) -> None:
    """Put the campaign's live tests in this order, given by their ids. Raises NotAllowed, Conflict, ValidationError."""
    campaign = locked_campaign(by, campaign)
    standing = list(campaign.tests.live().in_campaign_order().values_list("pk", flat=True))
    if sorted(tests) != sorted(standing):
        raise ValidationError(
            {"tests": "Name each test of the campaign exactly once: its tests have changed. Load it again."}
        )
    if list(tests) == standing:
        return
    Test.objects.bulk_update([Test(pk=pk, position=position) for position, pk in enumerate(tests, 1)], ["position"])
    record(by, "campaign.reordered", campaign, before={"tests": standing}, after={"tests": list(tests)})


@transaction.atomic
def archive_campaign(*, by: User, campaign: Campaign, note: str = "") -> Campaign:
    """The campaign put away. Its tests stay, and count as before. Raises NotAllowed, Conflict."""
    campaign = locked_campaign(by, campaign)
    campaign.archived_at = timezone.now()
    campaign.save(update_fields=["archived_at", "updated_at"])
    record(by, "campaign.archived", campaign, after={"archived_at": campaign.archived_at}, note=note)
    return campaign


@transaction.atomic
def duplicate_as_retest(*, by: User, campaign: Campaign, name: str = "") -> Campaign:
    """A campaign with the same plan and no results: its live tests as drafts, each linked to the one that it repeats."""
    permit(by, "campaign.manage", campaign)
    retest = Campaign(
        name=name.strip() or f"{campaign.name[:245]} (retest)",
        goal=campaign.goal,
        actor=campaign.actor,
        retest_of=campaign,
        created_by=by,
    )
    _saved(retest)
    retest.participants.set({by, *campaign.participants.all()})
    originals = campaign.tests.live().in_campaign_order().select_related("technique", "template")
    _settled(by, [_repeated(by, retest, test, position) for position, test in enumerate(originals, 1)])
    record(by, "campaign.created", retest, after={**_facts(retest), "retest_of": campaign.pk})
    return retest


def used_by(actor: ThreatActor) -> list[Technique]:
    """The active techniques that the actor is known to use, by ATT&CK id."""
    return list(Technique.objects.active().used_by(actor.mitre_id).order_by("mitre_id"))


def _planned(
    by: User, campaign: Campaign, techniques: Iterable[Technique], templates: Iterable[TestTemplate]
) -> list[Test]:
    plans: list[tuple[Technique | None, TestTemplate | None]] = [
        *((technique, None) for technique in dict.fromkeys(techniques)),
        *((None, template) for template in dict.fromkeys(templates)),
    ]
    drafts = [
        draft(
            by=by,
            technique=technique,
            template=template,
            campaign=campaign,
            position=position,
            fields=with_template(template, {}),
        )
        for position, (technique, template) in enumerate(plans, next_position(campaign))
    ]
    return _settled(by, drafts)


def _repeated(by: User, retest: Campaign, test: Test, position: int) -> Test:
    plan = {name: getattr(test, name) for name in FIELDS if name not in RESULTS}
    return draft(
        by=by,
        technique=test.technique,
        template=test.template,
        campaign=retest,
        position=position,
        fields=plan,
        retest_of=test,
    )


def _settled(by: User, drafts: list[Test]) -> list[Test]:
    """The drafts, saved, with the status of their techniques and a trace of each."""
    tests = Test.objects.bulk_create(drafts)
    TestInvolvement.objects.bulk_create(
        TestInvolvement(test=test, user=by, kind=TestInvolvement.Kind.CREATED) for test in tests
    )
    refresh_status({test.technique_id for test in tests})
    record_each(by, "test.created", [(test, facts_of(test)) for test in tests])
    return tests


def _saved(campaign: Campaign) -> None:
    campaign.full_clean(exclude=["created_by", "actor", "retest_of"])
    campaign.save()


def _facts(campaign: Campaign) -> dict[str, Any]:
    return {
        **{name: getattr(campaign, name) for name in EDITABLE},
        "actor": campaign.actor_id or "",
        "participants": sorted(user.get_username() for user in campaign.participants.all()),
    }
