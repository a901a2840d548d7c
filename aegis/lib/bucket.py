"""A bucket of any S3 that takes a file part by part. Alone in its file: who keeps evidence in a folder loads no boto3."""

from typing import Any, Final

from boto3.s3.transfer import TransferConfig
from storages.backends.s3 import S3Storage

PART: Final = 8 * 1024 * 1024
"""Bytes of one part: what the server holds of a file, however large that is."""


class Bucket(S3Storage):
    """Uploads in the thread of the request, one part after the other: threads would each hold one, and ten more at hand."""

    def get_default_settings(self) -> dict[str, Any]:
        """The settings of django-storages, with this way to upload."""
        config = TransferConfig(use_threads=False, multipart_threshold=PART, multipart_chunksize=PART)
        return {**super().get_default_settings(), "transfer_config": config}
