"""What a database raises that is away, full or too busy: not a fault of the statement, and gone when the database is back."""

from typing import Final

from django.db import InterfaceError, OperationalError

OUTAGES: Final = (OperationalError, InterfaceError)
