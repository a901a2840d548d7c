"""Days in UTC, as moments: a database compares moments by an index, where it would work out the day of each row."""

from datetime import UTC, date, datetime, time


def first_moment(day: date) -> datetime:
    """When the day begins."""
    return datetime.combine(day, time.min, UTC)


def last_moment(day: date) -> datetime:
    """The last microsecond of the day."""
    return datetime.combine(day, time.max, UTC)
