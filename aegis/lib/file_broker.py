"""Messages as files in a folder, for a server without Redis: kombu's transport, whose files are whole or not there.

kombu makes a file before it writes into it, for messages and for the tables that say which queue an exchange leads to. Who
looks at that moment reads an empty text: it ends a worker, and the message is gone.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.transport.virtual import Empty
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Files are written aside, and then given their names."""

    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:  # type: ignore[override]
        """Add a message to a queue; named as kombu names it, so that the oldest is the first. Raises OSError."""
        folder = Path(self.data_folder_out)
        with _aside(folder, dumps(payload)) as message:
            message.replace(folder / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message of a queue. Raises Empty; also for one that a full disk has cut short, which is gone then."""
        try:
            return super()._get(queue)
        except ValueError as error:
            logger.warning("A message in %s could not be read and is lost: %s", self.data_folder_in, error)
            raise Empty from error

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Note that an exchange leads to a queue."""
        table = self._exchange_file(exchange)
        self.control_folder.mkdir(exist_ok=True)
        with _aside(self.control_folder, "[]") as empty, suppress(FileExistsError):
            table.hardlink_to(empty)
        super()._queue_bind(exchange, routing_key, pattern, queue)


class Transport(filesystem.Transport):
    """kombu's transport `filesystem`, with this channel."""

    Channel = Channel


@contextmanager
def _aside(folder: Path, text: str) -> Iterator[Path]:
    """A whole file in a folder, under a name that nobody looks for; gone at the end unless it was given another."""
    file = folder / f"{uuid4()}.part"
    try:
        file.write_text(text, encoding="utf-8")
        yield file
    finally:
        file.unlink(missing_ok=True)
