"""A bucket of any S3 that takes a file part by part. Alone in its file: who keeps evidence in a folder loads no boto3."""

from functools import cached_property
from typing import Any, Final

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from storages.backends.s3 import S3Storage

from aegis.lib.circuit import Circuit

PART: Final = 8 * 1024 * 1024
"""Bytes of one part: what the server holds of a file, however large that is."""
PROMPT: Final[dict[str, Any]] = {
    "connect_timeout": 2,
    "read_timeout": 4,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
}
"""For questions that a server answers at once. Whoever asks a server that is silent knows it in less than ten seconds."""
PATIENT: Final[dict[str, Any]] = PROMPT | {"read_timeout": 60}
"""For parts, and for putting them together."""
CIRCUITS: Final[dict[str, Circuit]] = {}


def circuit_of(address: str) -> Circuit:
    """The circuit that all storages of this process share that lead to one server."""
    return CIRCUITS.setdefault(address, Circuit())


class Guarded(S3Storage):
    """A storage whose requests go through the circuit of their server, with limits on how long they wait."""

    client_config: Config
    waits: dict[str, Any] = PATIENT

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client_config = self.client_config.merge(Config(**self.waits))

    def get_default_settings(self) -> dict[str, Any]:
        """The settings of django-storages. Uploads go in the thread of the request, one part after the other: threads would
        each hold one, and ten more at hand.
        """
        config = TransferConfig(use_threads=False, multipart_threshold=PART, multipart_chunksize=PART)
        return {**super().get_default_settings(), "transfer_config": config}

    @property
    def connection(self) -> Any:
        """The connection of this thread."""
        is_new = getattr(self._connections, "connection", None) is None
        connection = super().connection
        if is_new:
            circuit, events = circuit_of(str(self.endpoint_url)), connection.meta.client.meta.events
            events.register("before-send.s3", circuit.enter)
            events.register("response-received.s3", circuit.leave)
        return connection

    def keep(self, name: str, content: Any) -> str:
        """Store content under exactly this name."""
        return str(super()._save(name, content))


class Bucket(Guarded):
    """The storage. It asks first whether a name is free, so that an upload learns at once of a server that is silent."""

    waits = PROMPT

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._settings_given = settings

    @cached_property
    def _uploads(self) -> Guarded:
        return Guarded(**self._settings_given)

    def _save(self, name: str, content: Any) -> str:
        return self._uploads.keep(name, content)
