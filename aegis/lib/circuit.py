"""Asks no more of a server that does not answer: after a few failures in a row nobody waits for it, until one asks again."""

import threading
import time
from typing import Any, Final

FAILURES: Final = 5
"""In a row, of single requests: an operation may try twice."""
SECONDS: Final = 15.0


class NotAnswering(Exception):
    """The server did not answer of late, and is not asked."""


class Circuit:
    """Counts what becomes of requests, for all threads of a process. Closed: all go through. Open: none, for `seconds`.

    Then one request goes through, and what becomes of it decides for the others.
    """

    def __init__(self, failures: int = FAILURES, seconds: float = SECONDS) -> None:
        self._most, self._seconds = failures, seconds
        self._failed, self._again = 0, 0.0
        self._lock = threading.Lock()

    def enter(self, **_: Any) -> None:
        """Raises NotAnswering while the server is left alone."""
        with self._lock:
            if self._failed < self._most:
                return
            now = time.monotonic()
            if now < self._again:
                raise NotAnswering(
                    f"it did not answer {self._failed} times, and is asked again in {self._again - now:.0f} s"
                )
            self._again = now + self._seconds

    def leave(self, *, exception: BaseException | None, parsed_response: Any = None, **_: Any) -> None:
        """Note how a request ended: with an answer, even a refusal, or with none, or a fault of the server."""
        if isinstance(exception, NotAnswering):
            return
        status = (parsed_response or {}).get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        with self._lock:
            self._failed = self._failed + 1 if exception is not None or status >= 500 else 0
            if self._failed >= self._most:
                self._again = time.monotonic() + self._seconds
