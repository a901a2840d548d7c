"""What the image promises: one pinned base, no build tools, nobody's secrets, a user without rights."""

import itertools
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tree import ROOT, text, tracked_files

SECRETS = {"SECRET_KEY": "s", "JWT_SIGNING_KEY": "j", "AUDIT_HMAC_KEY": "a"}
LINES = [
    line for line in text(Path("Dockerfile")).replace("\\\n", " ").splitlines() if line and not line.startswith("#")
]


def stage(number: int) -> list[str]:
    """The instructions of one stage, counted from 0; -1 is the last."""
    starts = [index for index, line in enumerate(LINES) if line.startswith("FROM ")] + [len(LINES)]
    parts = [LINES[begin:end] for begin, end in itertools.pairwise(starts)]
    return parts[number]


def test_both_stages_stand_on_one_base_of_one_release():
    bases = {line.split()[1] for line in LINES if line.startswith("FROM ")}
    assert len(bases) == 1
    release = re.fullmatch(r"python:3\.11\.(\d+)-slim-bookworm", bases.pop())
    assert release
    assert int(release[1]) >= 14  # before it, archives could hang the reader (CVE-2025-8194)


def test_nothing_is_installed_or_fetched_in_the_last_stage():
    assert [line for line in stage(-1) if re.search(r"\b(apt-get|pip|curl|wget|gcc|ADD)\b", line)] == []


def test_the_image_runs_as_a_user_without_rights_to_its_code():
    last = stage(-1)
    users = [line for line in last if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert [line for line in last[last.index(users[0]) :] if line.startswith(("RUN", "COPY"))] == []
    assert [line for line in last if line.startswith("COPY") and "--chown" in line] == []


def test_no_secret_stays_in_a_layer():
    named = re.compile(r"^(?:ENV|ARG)\b.*(?:SECRET|PASSWORD|KEY|TOKEN|DATABASE_URL)")
    assert [line for line in LINES if named.match(line)] == []
    assert [
        line for line in LINES if re.search(r"\b\w*(?:SECRET_KEY|SIGNING_KEY|HMAC_KEY)=(?!\"\$\(secret\)\")", line)
    ] == []


def test_the_image_is_watched_with_python_alone():
    checks = [line for line in LINES if "HEALTHCHECK" in line]
    assert len(checks) == 1
    assert 'CMD ["python", "-c"' in checks[0]
    program = re.search(r'"-c", "([^"]+)"', checks[0])
    assert program
    compile(program[1], "HEALTHCHECK", "exec")


def entering() -> list[Path]:
    """The files that .dockerignore lets into the image."""
    lines = text(Path(".dockerignore")).splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    named = {line[1:] for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in named)
    return [path for path in tracked_files() if path.parts[0] in named and "tests" not in path.parts]


def test_only_what_runs_enters_the_image():
    entered = {path.parts[0] for path in entering()}
    assert not entered & {".env", ".git", "docs", "var", "tests", ".venv", "requirements-dev.txt", "Makefile"}
    assert {"manage.py", "requirements.txt", "templates", "static", "imports"} <= entered


def test_the_programs_start_from_what_enters_the_image_alone(tmp_path):
    for path in entering():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, target)
    environment = {"DATABASE_URL": "sqlite://:memory:", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {name: letter * 3 + "".join(map(chr, range(40, 110))) for name, letter in SECRETS.items()}
    for command in (
        ["-m", "gunicorn", "--config", "aegis/gunicorn.py", "--check-config", "aegis.wsgi"],
        ["manage.py", "help", "up"],
    ):
        told = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("variable", ["WEB_WORKERS", "WEB_THREADS"])
def test_gunicorn_takes_its_size_from_the_environment(variable, monkeypatch):
    monkeypatch.setenv(variable, "7")
    told = runpy.run_path(str(ROOT / "aegis/gunicorn.py"))
    assert told[variable.removeprefix("WEB_").lower()] == 7
    assert (told["bind"], told["accesslog"]) == ("0.0.0.0:8000", None)


def test_counts_of_an_earlier_start_are_gone(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_7.db").touch()
    runpy.run_path(str(ROOT / "aegis/gunicorn.py"))["on_starting"](None)
    assert list(tmp_path.iterdir()) == []
