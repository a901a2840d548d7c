"""Aegis refuses to start as a server with secrets that everybody knows: asked before all else, and by the checks."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from environ import Env
from environ.fileaware_mapping import FileAwareMapping

REFUSED: Final = 3
"""Exit status. gunicorn takes it from a worker as "never start another one"; any other status would start it for ever."""

SECRETS: Final = ("SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_HMAC_KEY")
FORMER: Final = ("SECRET_KEY_FALLBACKS", "JWT_SIGNING_OLD_KEYS")
"""Former values of secrets. Whoever knows one of them can still sign with it."""
STORAGE_KEYS: Final = ("MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "S3_ACCESS_KEY", "S3_SECRET_KEY")
SHORTEST: Final = 50
FEWEST_DIFFERENT: Final = 20
SHORTEST_TOKEN: Final = 32
FEWEST_DIFFERENT_OF_TOKEN: Final = 12
KNOWN: Final = re.compile(
    r"django-insecure|insecure[-_ ]|default[-_ ]|example[-_ ]|dummy[-_ ]|please[-_ ]|your[-_ ]|my[-_ ]|super[-_ ]?secret"
    r"|not[-_ ]?(so[-_ ]?)?(secret|secure)|(this|the)[-_ ]is[-_ ]|(jwt[-_ ]?)?(secret|signing|private)[-_ ]|dev(elopment)?[-_ ]"
    r"|.*(change|replace)[-_ ]?(me|this|it\b|in[-_ ]production)|.*minioadmin",
    re.IGNORECASE,
)
"""How the values begin that templates, tutorials and compose files give away; some of them anywhere."""

WEAK_PASSWORDS: Final = frozenset(
    {"postgres", "aegis", "admin", "password", "passwd", "secret", "test", "root", "pass"}
)
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
MAKE_ONE: Final = "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one variable of the environment. It never holds the value."""

    variable: str
    message: str

    def __str__(self) -> str:
        return f"{self.variable} {self.message}"


def faults(environment: Mapping[str, str]) -> list[Fault]:
    """What keeps a server from starting in `environment`, at most one fault for each variable and rule.

    Nothing for an embedded installation (no DATABASE_URL), which makes its own secrets. With DEBUG nothing either, as long as
    the site answers under names of this machine only.
    """
    if _text(environment, "DEBUG").lower() in Env.BOOLEAN_TRUE_STRINGS:
        return list(_faults_of_debugging(environment))
    if not _text(environment, "DATABASE_URL"):
        return []
    return [
        *_faults_of_secrets(environment),
        *_faults_of_database(environment),
        *_faults_of_storage(environment),
        *_faults_of_names(environment),
        *_faults_of_token(environment),
    ]


def require_sound_environment(environment: Mapping[str, str] | None = None) -> None:
    """Return if Aegis may start here, else print one line for each fault to stderr and end the process with `REFUSED`."""
    found = faults(FileAwareMapping(os.environ) if environment is None else environment)
    for fault in found:
        sys.stderr.write(f"Aegis does not start: {fault}\n")
    if found:
        raise SystemExit(REFUSED)


@register(Tags.security)
def environment_is_sound(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """System check aegis.E002: one error for each fault of this process's environment."""
    return [
        Error(f"{fault}", hint="docs/configuration.md lists every variable.", id="aegis.E002")
        for fault in faults(FileAwareMapping(os.environ))
    ]


def _faults_of_debugging(environment: Mapping[str, str]) -> Iterator[Fault]:
    if not LOOPBACK.issuperset(_names(environment, "ALLOWED_HOSTS")):
        yield Fault(
            "DEBUG", "is on while ALLOWED_HOSTS names other machines. Its pages show code and settings: turn it off."
        )


def _faults_of_secrets(environment: Mapping[str, str]) -> Iterator[Fault]:
    owner: dict[str, str] = {}
    for name in SECRETS:
        secret = _text(environment, name)
        if fault := _weakness(secret):
            yield Fault(name, f"{fault} {MAKE_ONE}")
        elif secret in owner:
            yield Fault(name, f"is the same as {owner[secret]}. {MAKE_ONE}")
        owner.setdefault(secret, name)
    for name in FORMER:
        if fault := next(filter(None, map(_weakness, _names(environment, name))), ""):
            yield Fault(name, f"holds a key that {fault} Leave it out: who used it logs in again.")


def _weakness(secret: str) -> str:
    """What is wrong with a secret, as the end of a sentence about it; empty for a sound one."""
    if not secret:
        return "is not set."
    if KNOWN.match(secret):
        return "is an example that everybody knows."
    if len(secret) < SHORTEST:
        return f"is shorter than {SHORTEST} characters."
    if len(set(secret)) < FEWEST_DIFFERENT:
        return f"has fewer than {FEWEST_DIFFERENT} different characters."
    if secret in (secret + secret)[1:-1]:
        return "repeats one text over and over."
    return ""


def _faults_of_database(environment: Mapping[str, str]) -> Iterator[Fault]:
    try:
        database = Env.db_url_config(_text(environment, "DATABASE_URL"))
    except (ValueError, KeyError, ImproperlyConfigured):
        yield Fault("DATABASE_URL", "cannot be read: write postgres://user:password@host:5432/name.")
        return
    if not _is_across_a_network(database):
        return
    options = database.get("OPTIONS", {})
    password = database.get("PASSWORD") or options.get("password") or _text(environment, "PGPASSWORD")
    if not password and options.keys().isdisjoint({"passfile", "service", "sslcert"}):
        yield Fault(
            "DATABASE_URL", "has no password, and the database is reached through a network. Give its user one."
        )
    elif password and (
        password.lower() in {*WEAK_PASSWORDS, str(database.get("USER")).lower()} or KNOWN.match(password)
    ):
        yield Fault("DATABASE_URL", "has a password that everybody knows. Give the database's user a random one.")


def _is_across_a_network(database: Mapping[str, Any]) -> bool:
    """Whether the database listens to more than a file or a socket in the file system."""
    host = str(database.get("HOST") or database.get("OPTIONS", {}).get("host") or "")
    return "sqlite" not in str(database["ENGINE"]) and bool(host) and not host.startswith("/")


def _faults_of_storage(environment: Mapping[str, str]) -> Iterator[Fault]:
    for name in STORAGE_KEYS:
        key = _text(environment, name)
        if key.lower() in {"minio", "minio123"} or "minioadmin" in key.lower():
            yield Fault(name, "is the default of MinIO. Make a key of its own for Aegis.")


def _faults_of_names(environment: Mapping[str, str]) -> Iterator[Fault]:
    if any("*" in name for name in _names(environment, "ALLOWED_HOSTS")):
        yield Fault("ALLOWED_HOSTS", "holds *: list the names under which users reach Aegis.")
    if not all(origin.startswith("https://") for origin in _names(environment, "CSRF_TRUSTED_ORIGINS")):
        yield Fault("CSRF_TRUSTED_ORIGINS", "holds an address that does not begin with https://")


def _faults_of_token(environment: Mapping[str, str]) -> Iterator[Fault]:
    token = _text(environment, "AEGIS_METRICS_TOKEN")
    if token and (len(token) < SHORTEST_TOKEN or len(set(token)) < FEWEST_DIFFERENT_OF_TOKEN or KNOWN.match(token)):
        yield Fault("AEGIS_METRICS_TOKEN", f"can be guessed. {MAKE_ONE}")


def _text(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()


def _names(environment: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in _text(environment, name).split(",") if part.strip()]
