"""What every write to a test has in common: permission, the row lock, the version, the involvement, the trace."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS, allows
from aegis.audit.recording import record
from coverage.models import Campaign, Test, TestInvolvement
from coverage.services.status import refresh_status
from coverage.testing.refusals import Conflict, IllegalMove, NotAllowed, StaleVersion
from coverage.testing.workflow import Action, State, after

REASONS: Final = {
    "test.archive": "Four eyes: you had a hand in this test, so somebody else has to put away what was decided on it.",
    "test.decide": "Four eyes: you had a hand in this test, so somebody else has to decide on it.",
    "test.edit": "Only its creator, those involved, the campaign's participants and admins may edit this test.",
    "test.submit": "Only its creator, those involved, the campaign's participants and admins may submit this test.",
    "test.execute": "Only red techs, those involved, the campaign's participants and admins may record its execution.",
    "test.assess": "Only blue techs, those involved, the campaign's participants and admins may record what was seen.",
    "layer.delete": "Only whoever uploaded this layer, and admins, may delete it.",
    "evidence.add": "Only its creator, those involved, the campaign's participants and admins may add evidence.",
}


def permit(by: User, action: str, obj: object = None) -> None:
    """Raises NotAllowed, with the reason, unless the policy allows it."""
    if allows(by, action, obj):
        return
    if not by.is_active or by.role not in ACTIONS[action]:
        raise NotAllowed(f"Your role does not allow this ({action}).")
    raise NotAllowed(REASONS[action])


def locked(test: Test, version: int | None = None) -> Test:
    """The test as it stands now, locked until the transaction ends. Raises StaleVersion if it is not at `version` any more.

    Without `version` the caller takes it as it stands.
    """
    standing = Test.objects.select_for_update().get(pk=test.pk)
    if version is not None and version != standing.version:
        raise StaleVersion(
            f"This test has changed since you looked (you saw version {version}, it is at {standing.version}): "
            f"{last_write(standing)}. Load it again."
        )
    return standing


def lock_person(person: User) -> None:
    """Let nobody else count or add what this person keeps or gives until the transaction ends."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=person.pk)


def locked_campaign(by: User, campaign: Campaign) -> Campaign:
    """The campaign as it stands now, locked until the transaction ends. Raises NotAllowed, Conflict if it is archived."""
    standing = Campaign.objects.select_for_update().get(pk=campaign.pk)
    permit(by, "campaign.manage", standing)
    if standing.archived_at:
        raise Conflict(
            f"This campaign was archived at {standing.archived_at:%Y-%m-%d %H:%M} UTC: duplicate it to go on."
        )
    return standing


def check_seen(test: Test, seen: Mapping[str, Any]) -> None:
    """Raises StaleVersion if one of these fields does not hold any more what the caller saw in it."""
    changed = [name for name, value in seen.items() if as_shown(getattr(test, name)) != as_shown(value)]
    if changed:
        names = ", ".join(name.replace("_", " ") for name in changed)
        raise StaleVersion(f"Somebody changed the same since you looked ({names}): {last_write(test)}.")


def as_shown(value: Any) -> Any:
    """A value as a form shows it: a time without what is below a second, a text with plain line feeds."""
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(value, str) else value


def last_write(test: Test) -> str:
    """Who wrote last, what, and when, for people."""
    return f"{test.updated_by.get_username()} {test.last_action} it at {test.updated_at:%Y-%m-%d %H:%M:%S} UTC"


def moved(test: Test, action: Action) -> State:
    """The state after `action`. Raises IllegalMove, which tells of the last write too: often it is what came in between."""
    if test.is_archived:
        raise IllegalMove(f"Cannot {action.label} a test that is archived: {last_write(test)}.")
    try:
        return after(State(test.state), action)
    except IllegalMove as refusal:
        raise IllegalMove(f"{refusal} Last write: {last_write(test)}.") from None


def write(test: Test, by: User, verb: str, fields: Mapping[str, Any]) -> Test:
    """Set `fields` and save them with the next version, by whom, when, and `verb` ("edited")."""
    now = timezone.now()
    stamps = {"version": test.version + 1, "updated_by": by, "updated_at": now, "last_action": verb}
    for name, value in {**fields, **stamps}.items():
        setattr(test, name, value)
    test.save(update_fields=[*fields, *stamps])
    return test


def involve(by: User, test: Test, *kinds: TestInvolvement.Kind) -> None:
    """Remember for ever that `by` had a hand in the test."""
    rows = [TestInvolvement(test=test, user=by, kind=kind) for kind in kinds]
    TestInvolvement.objects.bulk_create(rows, ignore_conflicts=True)


def settle(
    by: User,
    test: Test,
    verb: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> None:
    """Bring the technique's status up to date and leave the trace: the end of every write, for the audit trail locks last."""
    changed = refresh_status([test.technique_id])
    facts = {**(after or {}), **({"coverage": changed} if changed else {})}
    record(by, f"test.{verb}", test, before=before, after=facts, note=note)
