"""No secret stays in the trail."""

import pytest

from aegis.audit.recording import record
from aegis.audit.redaction import REDACTED, clean, is_secret

CANARY = "canary-7f3a"
SECRETS = [
    "password",
    "password2",
    "new_password",
    "Password",
    "PASSWD",
    "userPassword",
    "passphrase",
    "secret",
    "client-secret",
    "SECRET_KEY",
    "token",
    "access_token",
    "refreshToken",
    "api_key",
    "apiKey",
    "APIKey",
    "key",
    "AUDIT_HMAC_KEY",
    "credentials",
    "Authorization",
    "Set-Cookie",
    "session",
    "otp",
    "X-Amz-Signature",
]
PLAIN = ["username", "monkey", "keyboard", "tokenizer", "sha256", "content_hash", "note", "path", ""]


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_redacted_at_any_depth(db, name):
    facts = {name: CANARY, "rows": [{"inner": {name: {"deep": [CANARY]}}}], "pair": ({name: CANARY},)}
    row = record(None, "test", before=facts, after=facts)
    row.refresh_from_db()
    assert CANARY not in str(row.before) + str(row.after)
    assert row.after[name] == REDACTED


@pytest.mark.parametrize("name", PLAIN)
def test_other_fields_are_kept(name):
    assert not is_secret(name)
    assert clean({name: CANARY}) == {name: CANARY}


def test_a_secret_that_is_empty_says_so():
    assert clean({"password": "", "token": None}) == {"password": "", "token": None}


def test_what_is_nested_without_end_is_cut():
    loop: dict[str, object] = {}
    loop["again"] = loop
    assert str(clean(loop)).count("again") == 12
