"""The keys that sign bundles, and those that are trusted: Ed25519 (RFC 8032), as text for people and environments."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from imports.fetchers import FetchError

_CONTEXT = b"aegis bundle, format 1\n"
"""Signed along, so that a signature made for something else is none of a bundle."""
_SIGNATURE = re.compile(rb"([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)\n")


class BadKey(FetchError):
    """A key that cannot be used; the message says which, and why."""


def key_id(public: Ed25519PublicKey) -> str:
    """What people compare: the first 16 hexadecimal digits of the SHA-256 of the public key."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def public_text(public: Ed25519PublicKey) -> str:
    """A public key as one word of 44 characters."""
    return base64.b64encode(public.public_bytes_raw()).decode()


def make_pair(private: Path) -> Ed25519PublicKey:
    """Write a new private key (readable by its owner alone) and `<private>.pub`. Raises FileExistsError; overwrites nothing."""
    key = Ed25519PrivateKey.generate()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_new(private, key.private_bytes(*form), 0o600)
    _write_new(private.with_name(f"{private.name}.pub"), f"{public_text(key.public_key())}\n".encode(), 0o644)
    return key.public_key()


def _write_new(file: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(content)


def read_private(file: Path) -> Ed25519PrivateKey:
    """The private key in a file of `make_pair`. Raises BadKey, also when others may read it."""
    try:
        content = file.read_bytes()
        mode = file.stat().st_mode
    except OSError as error:
        raise BadKey(f"{file} cannot be read ({error.strerror}). Make a key with `manage.py bundle_key`.") from error
    if stat.S_IMODE(mode) & 0o077:
        raise BadKey(f"{file} can be read by others: run `chmod 600 {file}`, or make a new key if somebody did.")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise BadKey(
            f"{file} holds no private key without a password. Make one with `manage.py bundle_key`."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{file} holds a key of another kind than Ed25519. Make one with `manage.py bundle_key`.")
    return key


def trusted_keys(texts: Iterable[str], files: Iterable[Path] = ()) -> dict[str, Ed25519PublicKey]:
    """The public keys by their id, from words and from files with one on each line. Raises BadKey."""
    words = [*texts]
    for file in files:
        try:
            words += file.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeError) as error:
            raise BadKey(
                f"{file} cannot be read as a public key: give the `.pub` of `manage.py bundle_key`."
            ) from error
    keys = [_public(word.strip()) for word in words if word.strip()]
    return {key_id(key): key for key in keys}


def _public(word: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(word, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadKey(
            f"`{word[:50]}` is not a public key of a bundle: 44 characters, as `manage.py bundle_key` prints them."
        ) from error


def signature(content: bytes, key: Ed25519PrivateKey) -> bytes:
    """The line that signs the content: the key's id and the signature."""
    return f"{key_id(key.public_key())} {base64.b64encode(key.sign(_CONTEXT + content)).decode()}\n".encode()


def signed_by(content: bytes, line: bytes, trusted: Mapping[str, Ed25519PublicKey], where: str) -> str:
    """The id of the trusted key that signed the content. Raises FetchError for any other."""
    parts = _SIGNATURE.fullmatch(line)
    if parts is None:
        raise FetchError(f"{where} is not signed: its signature cannot be read.")
    name = parts[1].decode()
    if name not in trusted:
        known = ", ".join(trusted) or "none"
        raise FetchError(
            f"{where} is signed with the key {name}, which is not trusted here (trusted: {known}). If it is right, add the"
            " public key to AEGIS_BUNDLE_KEYS or name its file with --trust."
        )
    try:
        trusted[name].verify(base64.b64decode(parts[2]), _CONTEXT + content)
    except InvalidSignature as error:
        raise FetchError(
            f"{where} was changed after it was signed: the signature does not fit. Not imported."
        ) from error
    return name
