"""The production stack as compose itself reads it: nothing half-guarded, no secret but those of `.env`."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import compose
import pytest

from aegis.lib.boot import faults
from tests.tree import ROOT, text

COMPOSE = Path(compose.__file__).parent / "docker-compose"  # the program itself: the package's script always ends well
ONE_SHOT = {"setup", "bucket"}
OURS = {"web", "worker", "beat", "setup"}
MADE = {
    "SECRET_KEY",
    "JWT_SIGNING_KEY",
    "AUDIT_HMAC_KEY",
    "AEGIS_METRICS_TOKEN",
    "DB_OWNER_PASSWORD",
    "DB_APP_PASSWORD",
    "REDIS_PASSWORD",
    "STORAGE_ROOT_USER",
    "STORAGE_ROOT_PASSWORD",
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
}


def made_env(path: Path, host: str = "aegis.example.org") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "bin/make_env.py"), host, "--to", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )


def values(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def config(env_file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(env_file.parent)}
    command = [str(COMPOSE), "--env-file", str(env_file), "--file", str(ROOT / "compose.yaml"), "config", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def env_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("stack") / ".env"
    assert made_env(path).returncode == 0
    return path


@pytest.fixture(scope="module")
def services(env_file):
    found = config(env_file, "--format", "json")
    assert (found.returncode, found.stderr) == (0, "")
    return json.loads(found.stdout)["services"]


def test_compose_accepts_the_file_without_a_word(env_file):
    told = config(env_file, "--quiet")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


@pytest.mark.parametrize("name", sorted(MADE - {"AEGIS_METRICS_TOKEN"}))
def test_without_one_of_its_secrets_nothing_starts(env_file, tmp_path, name):
    lines = [line for line in env_file.read_text().splitlines() if not line.startswith(f"{name}=")]
    partial = tmp_path / ".env"
    partial.write_text("\n".join(lines))
    told = config(partial, "--quiet")
    assert told.returncode != 0
    assert f"required variable {name} is missing a value: run bin/make_env.py" in told.stderr


def test_file_holds_no_secret_of_its_own():
    secret = re.compile(r"^\s*(?:- )?\w*(?:PASSWORD|SECRET|KEYS?|TOKEN|ROOT_USER|MC_HOST_\w+): (.*)$", re.MULTILINE)
    found = [value for value in secret.findall(text(Path("compose.yaml"))) if not value.startswith(("${", "http://${"))]
    assert found == []
    assert re.findall(r"://[^$\s]*:[^$/\s]*@", text(Path("compose.yaml"))) == []


def test_each_service_is_watched_or_done_once(services):
    assert {name for name, service in services.items() if "healthcheck" not in service} - OURS == {"bucket"}
    assert {name for name, service in services.items() if service["restart"] == "no"} == ONE_SHOT
    assert {service["restart"] for name, service in services.items() if name not in ONE_SHOT} == {"unless-stopped"}
    assert all("healthcheck" in services[name] for name in set(services) - ONE_SHOT)


def test_the_site_waits_for_tables_and_bucket(services):
    for name in OURS - {"setup"}:
        waits = {needed: how["condition"] for needed, how in services[name]["depends_on"].items()}
        assert {needed for needed, how in waits.items() if how == "service_completed_successfully"} == ONE_SHOT, name
        assert {needed for needed, how in waits.items() if how == "service_healthy"} == {
            "broker",
            "database",
            "storage",
        }, name


def test_images_are_of_one_release_each(services):
    tags = {name: service["image"].rpartition(":")[2] for name, service in services.items()}
    assert {tags.pop(name) for name in OURS} == {"local"}
    assert [tag for tag in tags.values() if not re.search(r"\d+\.\d+\.\d+|\d+\.\d+-|RELEASE\.\d{4}", tag)] == []


def test_only_the_site_is_published_and_only_to_this_machine(services):
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert list(published) == ["web"]
    assert [(port["host_ip"], port["published"], port["target"]) for port in published["web"]] == [
        ("127.0.0.1", "8000", 8000)
    ]
    outside = {name for name, service in services.items() if "outside" in service["networks"]}
    assert outside == {"web", "worker"}


def test_each_service_is_limited_and_gains_nothing(services):
    for name, service in services.items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    for name in OURS:
        assert services[name]["read_only"], name
        assert services[name]["cap_drop"] == ["ALL"], name


def test_only_the_set_up_knows_the_owner_of_the_tables(env_file, services):
    owner, root = values(env_file)["DB_OWNER_PASSWORD"], values(env_file)["STORAGE_ROOT_PASSWORD"]
    assert {name for name, service in services.items() if owner in json.dumps(service)} == {"setup", "database"}
    assert {name for name, service in services.items() if root in json.dumps(service)} == {"bucket", "storage"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_aegis_starts_in_the_environment_that_it_is_given(services, name):
    assert faults(services[name]["environment"]) == []


def test_env_is_random_and_for_its_owner_alone(env_file, tmp_path):
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    other = tmp_path / "other"
    assert made_env(other).returncode == 0
    mine, theirs = values(env_file), values(other)
    assert {name for name in mine if mine[name] != theirs[name]} == MADE
    assert len({mine[name] for name in MADE}) == len(MADE)
    assert (mine["ALLOWED_HOSTS"], mine["CSRF_TRUSTED_ORIGINS"]) == ("aegis.example.org", "https://aegis.example.org")


def test_env_that_exists_is_never_touched(tmp_path):
    path = tmp_path / ".env"
    path.write_text("PRECIOUS=1")
    told = made_env(path)
    assert (told.returncode, path.read_text()) == (1, "PRECIOUS=1")
    assert "exists, and stays as it is" in told.stderr


@pytest.mark.parametrize(
    "host", ["https://aegis.example.org", "aegis.example.org:443", "*", "", "a b", "x\nDEBUG=true"]
)
def test_env_is_not_made_for_what_is_no_host_name(tmp_path, host):
    assert made_env(tmp_path / ".env", host).returncode == 2
    assert not (tmp_path / ".env").exists()
