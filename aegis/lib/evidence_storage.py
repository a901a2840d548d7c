"""Which storage keeps evidence and snapshots: files on this machine, or a private bucket of any S3 where `MINIO_*` says so."""

from pathlib import Path
from typing import Any


def evidence_storage(env: Any, folder: Path) -> dict[str, Any]:
    """The `STORAGES` entry. `env` is a django-environ Env; `folder` keeps the files when no bucket is configured.

    Objects are private, never overwritten, served as attachments of unknown type, and links to them live for 60 seconds.
    """
    endpoint = env.str("MINIO_ENDPOINT", "")
    if not endpoint:
        options: dict[str, Any] = {
            "location": folder,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        }
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    if "://" not in endpoint:
        endpoint = f"{'https' if env.bool('MINIO_SECURE', True) else 'http'}://{endpoint}"
    return {
        "BACKEND": "aegis.lib.bucket.Bucket",
        "OPTIONS": {
            "endpoint_url": endpoint,
            "access_key": env.str("MINIO_ACCESS_KEY"),
            "secret_key": env.str("MINIO_SECRET_KEY"),
            "bucket_name": env.str("MINIO_BUCKET", "evidence"),
            "region_name": env.str("MINIO_REGION", "us-east-1"),
            "addressing_style": "path",
            "signature_version": "s3v4",
            "default_acl": None,
            "file_overwrite": False,
            # Without signed links Aegis hands the files out itself: for a bucket that no browser reaches.
            "querystring_auth": env.bool("MINIO_SIGNED_LINKS", True),
            "querystring_expire": 60,
            "object_parameters": {"ContentType": "application/octet-stream"},
            # Of an object that is read, what is beyond a megabyte lies on disk.
            "max_memory_size": 1024 * 1024,
        },
    }


def snapshot_storage(env: Any, folder: Path) -> dict[str, Any]:
    """The `STORAGES` entry of kept snapshots: like evidence, in a folder of its own, or below `snapshots/` in the bucket."""
    entry = evidence_storage(env, folder)
    if "bucket_name" in entry["OPTIONS"]:
        # The name of a snapshot is its content: what is written again is the same.
        entry["OPTIONS"] |= {"location": "snapshots", "file_overwrite": True}
    return entry
