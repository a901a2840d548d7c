"""Write the `.env` of compose.yaml, with secrets nobody knows: `python3 bin/make_env.py aegis.example.org`.

Needs nothing but Python. The file is for its owner alone (mode 0600), and one that exists is never touched: its secrets open
the database, and verify the audit trail.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from pathlib import Path

HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
TEMPLATE = """\
# Made by bin/make_env.py. These secrets exist nowhere else: keep a copy of this file in a safe, apart from the backups.
# docs/configuration.md says what each is for.

ALLOWED_HOSTS={host}
CSRF_TRUSTED_ORIGINS=https://{host}
AEGIS_URL=https://{host}

SECRET_KEY={secret_key}
JWT_SIGNING_KEY={jwt_signing_key}
AUDIT_HMAC_KEY={audit_hmac_key}
AEGIS_METRICS_TOKEN={metrics_token}

DB_OWNER_PASSWORD={db_owner_password}
DB_APP_PASSWORD={db_app_password}
REDIS_PASSWORD={redis_password}
STORAGE_ROOT_USER={storage_root_user}
STORAGE_ROOT_PASSWORD={storage_root_password}
MINIO_ACCESS_KEY={minio_access_key}
MINIO_SECRET_KEY={minio_secret_key}
"""


def environment(host: str) -> str:
    """The text of an `.env` for a site at https://`host`; no two are alike."""
    return TEMPLATE.format(
        host=host,
        secret_key=secrets.token_urlsafe(64),
        jwt_signing_key=secrets.token_urlsafe(64),
        audit_hmac_key=secrets.token_urlsafe(64),
        metrics_token=secrets.token_urlsafe(32),
        db_owner_password=secrets.token_hex(24),  # hex: passwords that stand in a URL
        db_app_password=secrets.token_hex(24),
        redis_password=secrets.token_hex(24),
        storage_root_user=secrets.token_hex(8),
        storage_root_password=secrets.token_hex(20),
        minio_access_key=secrets.token_hex(8),
        minio_secret_key=secrets.token_hex(20),
    )


def write(path: Path, text: str) -> None:
    """Put `text` at `path`, readable for its owner alone. Raises FileExistsError where there is anything."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def main(arguments: list[str]) -> int:
    """Exit status: 0 for a file made, 1 for one that was there, 2 for a wrong call."""
    parser = argparse.ArgumentParser(description="Write the .env of compose.yaml, with random secrets.")
    parser.add_argument("host", help="the name under which users reach Aegis, such as aegis.example.org")
    parser.add_argument("--to", type=Path, default=Path(".env"), metavar="FILE", help="where to write (default: .env)")
    options = parser.parse_args(arguments)
    host = options.host.lower()
    if not HOST.fullmatch(host):
        parser.error(f"{options.host!r} is no host name: write it without https://, port and path")
    try:
        write(options.to, environment(host))
    except FileExistsError:
        print(
            f"{options.to} exists, and stays as it is: its secrets open what was made with them. Move it away to begin anew.",
            file=sys.stderr,
        )
        return 1
    print(f"Wrote {options.to} (mode 0600) for https://{host}. Keep a copy in a safe.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
