"""No server starts with a secret that somebody else knows; what is wrong is said in one line, without the value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.boot import faults, require_sound_environment

ROOT = Path(__file__).resolve().parents[3]
SOUND = {
    "DATABASE_URL": "postgres://app:8sN2vQxL0pTz@db.internal:5432/aegis",
    "SECRET_KEY": "qZ7mB1xV4nC8kL2jH5gF9dS3aP6oI0uYtRrEeWwQqMnBvCxZlK-_",
    "JWT_SIGNING_KEY": "Pl0OkMiJnUhBygVtFcRdXeSzWaQ1234567890-_mnbvcxzasdfgh",
    "AUDIT_HMAC_KEY": "x7Hq2Lw9Zr4Tn6Vb1Yc8Ud3Sk5Pj0GfMeAoQiWlEtRyUaSdFgHjK",
    "ALLOWED_HOSTS": "aegis.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://aegis.example.org",
    "MINIO_ACCESS_KEY": "aegis-evidence",
    "MINIO_SECRET_KEY": "J2vR9sQ7xT4w",
}
LONG = "0123456789abcdefghij"
BAD = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "short"),
    ("SECRET_KEY", SOUND["SECRET_KEY"][:49]),
    ("SECRET_KEY", "a" * 64),
    ("SECRET_KEY", "0123456789abcdef" * 4),
    ("SECRET_KEY", LONG * 3),
    ("SECRET_KEY", "change-me-" + SOUND["SECRET_KEY"]),
    ("SECRET_KEY", "CHANGEME" + SOUND["SECRET_KEY"]),
    ("SECRET_KEY", "please-change-me-in-production-0123456789abcdefghijklmnop"),
    ("SECRET_KEY", "django-insecure-" + SOUND["SECRET_KEY"]),
    ("SECRET_KEY", "your-secret-key-goes-here-0123456789abcdefghijklmnopqrstuv"),
    ("SECRET_KEY", "this-is-a-very-secret-key-0123456789abcdefghijklmnopqrstuv"),
    ("SECRET_KEY", "supersecret0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH"),
    ("SECRET_KEY", "dev-only-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"),
    ("SECRET_KEY", "replace_this_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"),
    ("SECRET_KEY", "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"),
    ("JWT_SIGNING_KEY", ""),
    ("JWT_SIGNING_KEY", "secret"),
    ("JWT_SIGNING_KEY", "jwt-secret-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI"),
    ("JWT_SIGNING_KEY", SOUND["SECRET_KEY"]),
    ("JWT_SIGNING_KEY", "minioadmin" + SOUND["SECRET_KEY"]),
    ("AUDIT_HMAC_KEY", ""),
    ("AUDIT_HMAC_KEY", SOUND["SECRET_KEY"]),
    ("AUDIT_HMAC_KEY", SOUND["JWT_SIGNING_KEY"]),
    ("SECRET_KEY_FALLBACKS", "change-me-" + SOUND["SECRET_KEY"]),
    ("SECRET_KEY_FALLBACKS", SOUND["AUDIT_HMAC_KEY"] + ",short"),
    ("JWT_SIGNING_OLD_KEYS", "secret"),
    ("JWT_SIGNING_OLD_KEYS", "a" * 64),
    ("DATABASE_URL", "postgres://aegis:aegis@db:5432/aegis"),
    ("DATABASE_URL", "postgres://postgres:postgres@localhost:5432/aegis"),
    ("DATABASE_URL", "postgres://postgres:POSTGRES@10.0.0.5/aegis"),
    ("DATABASE_URL", "postgres://app@db/aegis"),
    ("DATABASE_URL", "postgres://app:@db/aegis"),
    ("DATABASE_URL", "postgres://app:app@db/aegis"),
    ("DATABASE_URL", "postgres://app:password@db/aegis"),
    ("DATABASE_URL", "postgres://app:changeme@db/aegis"),
    ("DATABASE_URL", "postgres://app:8sN2vQxL0pTz@db:port/aegis"),
    ("MINIO_ACCESS_KEY", "minioadmin"),
    ("MINIO_SECRET_KEY", "minioadmin"),
    ("MINIO_SECRET_KEY", "minio123"),
    ("S3_SECRET_KEY", "minioadmin"),
    ("AEGIS_METRICS_TOKEN", "metrics"),
    ("AEGIS_METRICS_TOKEN", "0123456789" * 4),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "aegis.example.org, *"),
    ("ALLOWED_HOSTS", "*.example.org"),
    ("CSRF_TRUSTED_ORIGINS", "http://aegis.example.org"),
    ("CSRF_TRUSTED_ORIGINS", "https://aegis.example.org,aegis.example.org"),
]


def test_forty_bad_environments_are_in_the_table():
    assert len(BAD) >= 40


def test_sound_environment_has_no_fault():
    assert faults(SOUND) == []
    former = {
        "SECRET_KEY_FALLBACKS": "",
        "JWT_SIGNING_OLD_KEYS": f"{SOUND['SECRET_KEY'][::-1]}, {SOUND['SECRET_KEY']}x",
    }
    assert faults(SOUND | former) == []


@pytest.mark.parametrize(("variable", "value"), BAD)
def test_each_bad_value_is_refused_by_name_and_never_shown(variable, value, capsys):
    with pytest.raises(SystemExit) as refusal:
        require_sound_environment({**SOUND, variable: value})
    lines = capsys.readouterr().err.splitlines()
    assert refusal.value.code == 3
    assert [line.split()[4] for line in lines] == [variable]
    assert not value or len(value) < 8 or value not in lines[0]


def test_all_faults_are_told_at_once(capsys):
    with pytest.raises(SystemExit):
        require_sound_environment({"DATABASE_URL": "postgres://aegis:aegis@db/aegis", "ALLOWED_HOSTS": "*"})
    told = [line.split()[4] for line in capsys.readouterr().err.splitlines()]
    assert told == ["SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_HMAC_KEY", "DATABASE_URL", "ALLOWED_HOSTS"]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/aegis.sqlite3",
        "postgres://aegis@/aegis?host=/run/postgresql",
        "postgres://app@db/aegis?sslcert=/run/secrets/app.crt",
    ],
)
def test_a_file_a_socket_and_a_certificate_need_no_password(url):
    assert faults({**SOUND, "DATABASE_URL": url}) == []


def test_password_may_come_beside_the_address():
    assert faults({**SOUND, "DATABASE_URL": "postgres://app@db/aegis", "PGPASSWORD": "8sN2vQxL0pTz"}) == []
    assert faults({**SOUND, "DATABASE_URL": "postgres://app@db/aegis", "PGPASSWORD": "postgres"}) != []


def test_embedded_installation_makes_its_own_secrets():
    assert faults({}) == []
    assert faults({"DATABASE_URL": "  "}) == []


def test_debug_is_for_this_machine_only():
    assert faults({"DEBUG": "true", "DATABASE_URL": "postgres://aegis:aegis@db/aegis"}) == []
    assert faults({"DEBUG": "1", "ALLOWED_HOSTS": "localhost,127.0.0.1"}) == []
    assert [fault.variable for fault in faults({"DEBUG": "true", "ALLOWED_HOSTS": "localhost,10.0.0.5"})] == ["DEBUG"]
    assert [fault.variable for fault in faults({"DEBUG": "on", "ALLOWED_HOSTS": "*"})] == ["DEBUG"]


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=40, max_size=90))
def test_no_fault_ever_holds_the_secret(value):
    told = " ".join(str(fault) for fault in faults({**SOUND, "SECRET_KEY": value, "ALLOWED_HOSTS": value}))
    assert value not in told


def started(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        ["-c", "import aegis.wsgi"],
        ["-c", "import aegis.asgi"],
        ["manage.py", "runserver", "--noreload", "127.0.0.1:0"],
        ["-m", "gunicorn", "aegis.wsgi", "--bind", "127.0.0.1:0"],
        ["-m", "celery", "-A", "aegis", "worker"],
        ["-m", "celery", "-A", "aegis", "beat"],
    ],
    ids=["wsgi", "asgi", "runserver", "gunicorn", "worker", "beat"],
)
def test_real_start_with_a_known_secret_ends_at_once(command):
    ended = started(command, **{**SOUND, "SECRET_KEY": "change-me-please"})
    assert ended.returncode == 3
    assert "Aegis does not start: SECRET_KEY is an example that everybody knows." in ended.stderr
    assert "change-me-please" not in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr


def test_real_start_reads_secrets_from_files(tmp_path):
    secret = tmp_path / "secret_key"
    secret.write_text("change-me-please\n")
    without = {name: value for name, value in SOUND.items() if name != "SECRET_KEY"}
    ended = started(["-c", "import aegis.wsgi"], **without, SECRET_KEY_FILE=str(secret))
    assert (ended.returncode, ended.stderr.count("SECRET_KEY is an example")) == (3, 1)


def test_process_that_takes_requests_has_loaded_all_views_and_asked_no_database():
    ended = started(["-c", "import sys, aegis.wsgi; print('coverage.api.testing' in sys.modules)"], **SOUND)
    assert (ended.returncode, ended.stdout) == (0, "True\n")


def test_command_without_a_secret_says_so_in_one_line():
    without = {name: value for name, value in SOUND.items() if name != "SECRET_KEY"}
    ended = started(["manage.py", "migrate"], **without)
    assert (ended.returncode, ended.stderr) == (
        1,
        "Aegis does not start: Set the SECRET_KEY environment variable\n",
    )


def test_system_check_finds_the_same_faults():
    ended = started(["manage.py", "check"], **{**SOUND, "JWT_SIGNING_KEY": SOUND["SECRET_KEY"]})
    assert ended.returncode == 1
    assert "(aegis.E002) JWT_SIGNING_KEY is the same as SECRET_KEY." in ended.stderr


def test_sound_environment_starts():
    assert started(["-c", "import aegis.wsgi"], **SOUND, AEGIS_STATIC_ROOT=str(ROOT / "static")).returncode == 0
