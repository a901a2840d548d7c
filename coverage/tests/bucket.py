"""A real S3 server on this machine, and the settings that lead there."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
import environ
import requests
from botocore.client import Config

from aegis.lib.evidence_storage import evidence_storage

ACCESS_KEY: Final = "AEGISTESTS"
SECRET_KEY: Final = "a secret of the tests"
BUCKET: Final = "evidence"


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The address of an S3 server that keeps its objects in `folder`, with an empty bucket; stopped in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "nanio", "serve", "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(folder)],
        env=os.environ | {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, server)
        client(address).create_bucket(Bucket=BUCKET)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    """Return as soon as the server answers. Raises TimeoutError."""
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"no S3 server at {address}")


def client(address: str, secret: str = SECRET_KEY) -> Any:
    """A client of the server."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def storages(standing: dict[str, Any], address: str, secret: str = SECRET_KEY) -> dict[str, Any]:
    """`STORAGES` with the evidence in the bucket, as `MINIO_*` configures it."""
    env = environ.Env()
    env.ENVIRON = variables(address, secret)
    return {**standing, "evidence": evidence_storage(env, Path("unused"))}


def variables(address: str, secret: str = SECRET_KEY) -> dict[str, str]:
    """The environment that leads to the server."""
    return {"MINIO_ENDPOINT": address, "MINIO_ACCESS_KEY": ACCESS_KEY, "MINIO_SECRET_KEY": secret}
