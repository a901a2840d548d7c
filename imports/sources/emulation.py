"""What Aegis works out for test templates, because the projects that publish them have no such field.

Two facts and one table make both fields, so that a person can check them by eye: what the executors need and undo gives the
severity; platform and executor give the logs in which the activity usually shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from imports.records import Executor
from imports.sources.platforms import attack_platform

DERIVED: Final = ("expected_detection", "severity")

SERVICE_LOGS: Final = {
    "containers": "container runtime events and the Kubernetes audit log",
    "esxi": "the ESXi shell and hostd logs",
    "network": "the device's command accounting and syslog",
    "saas": "the service's own audit log",
    "iaas": "the cloud provider's audit log",
    "iaas:aws": "AWS CloudTrail",
    "iaas:azure": "the Azure activity log",
    "iaas:gcp": "Google Cloud audit logs",
    "azure-ad": "the Microsoft Entra audit and sign-in logs",
    "office-365": "the Microsoft 365 unified audit log",
    "google-workspace": "the Google Workspace audit log",
}
PROCESS_LOGS: Final = {
    "Windows": "process creation that names {program} (Security 4688, Sysmon 1)",
    "Linux": "process execution of {program} (auditd EXECVE, Sysmon for Linux 1)",
    "macOS": "process execution of {program} (Endpoint Security exec events)",
}
PROGRAMS: Final = {
    "powershell": "PowerShell",
    "psh": "PowerShell",
    "pwsh": "PowerShell",
    "command_prompt": "cmd.exe",
    "cmd": "cmd.exe",
    "osa": "osascript",
    "manual": "what the steps start",
}
INSIDE_THE_AGENT: Final = ("native", "shellcode", "donut")


def severity(executors: Iterable[Executor]) -> str:
    """How much a run needs and leaves.

    "high" if an executor needs elevated rights, "medium" if one has something to clean up, "low" otherwise.
    """
    known = tuple(executors)
    if any(executor.elevation_required for executor in known):
        return "high"
    return "medium" if any(executor.cleanup.strip() for executor in known) else "low"


def expected_detection(technique: str, runs: Iterable[tuple[str, str]]) -> str:
    """Where a blue technician should look: one line for each (upstream's platform, executor), in order and without repeats."""
    lines = dict.fromkeys(
        f"- {attack_platform(platform)}, {name}: {log_sources(platform, name)}" for platform, name in runs
    )
    return "\n".join((f"{technique} should show in:", *lines))


def log_sources(platform: str, executor: str) -> str:
    """The logs in which commands of `executor` usually show on `platform` (an upstream's word)."""
    if service := SERVICE_LOGS.get(platform.lower()):
        return service
    if executor.startswith(INSIDE_THE_AGENT):
        return "no process of its own: memory, network and file events of the agent's process"
    logs = process_logs(attack_platform(platform), PROGRAMS.get(executor, executor))
    if attack_platform(platform) == "Windows" and PROGRAMS.get(executor) == "PowerShell":
        return f"{logs} and script blocks (PowerShell 4104)"
    return logs


def process_logs(platform: str, program: str) -> str:
    """Where the start of `program` is logged on `platform` (ATT&CK's word)."""
    return PROCESS_LOGS.get(platform, "process execution of {program}").format(program=program)


def one_after_another(texts: Iterable[str]) -> str:
    """The texts that hold more than white space, in order and without repeats. A single one stays byte for byte."""
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))
