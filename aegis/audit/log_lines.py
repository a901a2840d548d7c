"""Log lines: one for each event whatever its text holds, as JSON on a server, with the number of the request they belong to."""

import json
import logging
from datetime import UTC, datetime

from aegis.audit.visit import current_visit
from aegis.lib.door_keys import without_secrets
from aegis.lib.numbers import current_numbers


class OneLine(logging.Formatter):
    """Plain text for people: a line break within an event is shown, not made, so that no text can pass for another event."""

    def format(self, record: logging.LogRecord) -> str:
        """The event, its traceback below it."""
        text = without_secrets(super().formatMessage(self._with_message(record))).translate(BREAKS)
        return f"{text}\n{without_secrets(self.formatException(record.exc_info))}" if record.exc_info else text

    def _with_message(self, record: logging.LogRecord) -> logging.LogRecord:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        return record


class JsonLine(logging.Formatter):
    """One JSON object: time, level, logger, message; `request` is the X-Request-ID of the answer, `error` the traceback.

    A line of an import has its `run` too, and the `request` that asked for it, whichever process carries it out.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The event, in ASCII."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
        }
        told |= current_numbers()
        if visit := current_visit():
            told["request"] = visit.id
        if record.exc_info:
            told["error"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(told)


BREAKS = {ord(sign): repr(sign)[1:-1] for sign in "\r\n\x0b\x0c\x1b\x85\u2028\u2029"}
