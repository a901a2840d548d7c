"""What becomes of the news: techniques that they flag, and the people who look through them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.audit.recording import record
from coverage.models import TechniqueCoverage
from coverage.news.ranking import standings
from coverage.services.review import flag_for_review
from coverage.services.writing import permit
from intel.models import FeedScan, IntelFlag, IntelItem, Mention

LONGEST: Final = 4_000
"""Characters of a note."""

REASONS_SHOWN: Final = 3
"""Items of one scan that a technique is told of; the others stand on its page."""
State = IntelItem.State


class DecidedMeanwhile(ValidationError):
    """Somebody else decided otherwise on the item after the visitor's page was drawn; the message says who and how."""


@transaction.atomic
def flag_news(*, scan: FeedScan, items: Iterable[int]) -> list[str]:
    """Have techniques reviewed that new items name with confidence, those that matter most; returns their ids.

    An item flags a technique once, also if somebody took the flag down since. A scan flags AEGIS_INTEL_FLAGS at the most, and
    says how many it left alone.
    """
    named = _not_flagged_yet(list(items))
    known = standings(named)
    order = sorted(known, key=lambda mitre_id: (-known[mitre_id].weight, mitre_id))
    chosen = order[: settings.AEGIS_INTEL_FLAGS]
    scan.held_back = len(order) - len(chosen)
    scan.flagged = len([mitre_id for mitre_id in chosen if _flag(mitre_id, named[mitre_id])])
    return chosen


def accept_item(*, by: User, item: IntelItem, as_of: datetime | None = None) -> IntelItem:
    """The item, accepted: it is of use to us. Raises DecidedMeanwhile, if `as_of` says how old the page is."""
    return _decide(by, item, State.ACCEPTED, as_of)


def dismiss_item(*, by: User, item: IntelItem, as_of: datetime | None = None) -> IntelItem:
    """The item, dismissed: nothing in it is for us. Raises DecidedMeanwhile, if `as_of` says how old the page is."""
    return _decide(by, item, State.DISMISSED, as_of)


def reopen_item(*, by: User, item: IntelItem, as_of: datetime | None = None) -> IntelItem:
    """The item, as if nobody had decided on it. Raises DecidedMeanwhile, if `as_of` says how old the page is."""
    return _decide(by, item, State.NEW, as_of)


def assign_item(*, by: User, item: IntelItem, to: User | None) -> IntelItem:
    """The item in somebody's hands, or in nobody's. Raises ValidationError for a person who cannot triage."""
    if to is not None and not allows(to, "intel.triage"):
        raise ValidationError(
            {"assigned_to": [f"{to.username} may not triage intelligence: choose somebody who does."]}
        )

    def assign(row: IntelItem) -> None:
        row.assigned_to = to

    return _change(by, item, "intel.assigned", ("assigned_to",), assign)


def note_item(*, by: User, item: IntelItem, note: str, instead_of: str | None = None) -> IntelItem:
    """The item with a note in the place of the one that it had: of `instead_of`, if that is given. Raises ValidationError."""
    if len(note) > LONGEST:
        raise ValidationError({"note": [f"At most {LONGEST:,} characters."]})

    def write(row: IntelItem) -> None:
        if instead_of is not None and row.note not in {instead_of, note}:
            raise ValidationError({"note": [f"The note has been changed meanwhile. It reads now: “{row.note}”"]})
        row.note = note

    return _change(by, item, "intel.noted", ("note",), write)


@transaction.atomic
def raise_review(*, by: User, item: IntelItem, technique: str) -> list[str]:
    """Have a technique reviewed that the item names; returns it if this is news. Raises ValidationError."""
    permit(by, "intel.triage", item)
    named = item.mentions.filter(kind=Mention.Kind.TECHNIQUE, key=technique).exists()
    if not named or technique not in standings([technique]):
        raise ValidationError({"technique": [f"The item does not name {technique}, or ATT&CK no longer has it."]})
    IntelFlag.objects.update_or_create(
        item=item,
        technique=technique,
        defaults={"by_hand": True},
        create_defaults={"by_hand": True, "at": timezone.now()},
    )
    flagged = _reason(technique, item)
    record(by, "intel.review_raised", item, after={"technique": technique})
    return flagged


def _not_flagged_yet(items: list[int]) -> dict[str, list[int]]:
    """{ATT&CK id: items that name it and have not flagged it yet}, without what somebody dismissed."""
    sure = Mention.objects.filter(item__in=items, kind=Mention.Kind.TECHNIQUE, confident=True)
    pairs = sure.exclude(item__state=State.DISMISSED).order_by("item_id").values_list("key", "item_id").distinct()
    before = set(IntelFlag.objects.filter(item__in=items).values_list("technique", "item_id"))
    named: dict[str, list[int]] = defaultdict(list)
    for key, item in pairs:
        if (key, item) not in before:
            named[key].append(item)
    return dict(named)


def _flag(mitre_id: str, items: list[int]) -> bool:
    now = timezone.now()
    IntelFlag.objects.bulk_create(IntelFlag(item_id=item, technique=mitre_id, at=now) for item in items)
    newest = IntelItem.objects.filter(pk__in=items).order_by("-at", "-pk")[:REASONS_SHOWN]
    return sum(len(_reason(mitre_id, item)) for item in newest) > 0


def _reason(mitre_id: str, item: IntelItem) -> list[str]:
    title = item.title[:200]
    text = f"In the news: {title}{'' if title.endswith(('.', '!', '?', '…')) else '.'}"
    return flag_for_review(
        techniques=[mitre_id], reason=TechniqueCoverage.Reason.INTEL, text=text, link=item.get_absolute_url()
    )


def _decide(by: User, item: IntelItem, state: IntelItem.State, as_of: datetime | None) -> IntelItem:
    def decide(row: IntelItem) -> None:
        other = row.decided_by if row.decided_by_id != by.pk and row.state != state else None
        if other and as_of and row.decided_at and row.decided_at > as_of:
            raise DecidedMeanwhile(f"{other.username} {row.state} “{row.title[:80]}” meanwhile: it stays so.")
        row.state = state
        row.decided_by, row.decided_at = (None, None) if state == State.NEW else (by, timezone.now())

    verb = {State.ACCEPTED: "intel.accepted", State.DISMISSED: "intel.dismissed", State.NEW: "intel.reopened"}[state]
    return _change(by, item, verb, ("state", "decided_by", "decided_at"), decide)


@transaction.atomic
def _change(
    by: User, item: IntelItem, verb: str, fields: tuple[str, ...], change: Callable[[IntelItem], None]
) -> IntelItem:
    """The item's fresh row after `change`, with its audit row; nothing is written where nothing changes."""
    permit(by, "intel.triage", item)
    row = IntelItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    before = _facts(row, fields)
    change(row)
    after = _facts(row, fields)
    if before[fields[0]] != after[fields[0]]:
        row.save(update_fields=fields)
        record(by, verb, row, before=before, after=after)
    return row


def _facts(row: IntelItem, fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: str(getattr(row, name) or "") for name in fields}
