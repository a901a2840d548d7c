"""The words that emulation projects use for platforms, in ATT&CK's own."""

from __future__ import annotations

from collections.abc import Iterable

ATTACK_PLATFORMS = {
    "windows": "Windows",
    "macos": "macOS",
    "darwin": "macOS",
    "linux": "Linux",
    "containers": "Containers",
    "esxi": "ESXi",
    "network": "Network Devices",
    "saas": "SaaS",
    "iaas": "IaaS",
    "iaas:aws": "IaaS",
    "iaas:azure": "IaaS",
    "iaas:gcp": "IaaS",
    "azure-ad": "Identity Provider",
    "office-365": "Office Suite",
    "google-workspace": "Office Suite",
}


def attack_platform(word: str) -> str:
    """ATT&CK's word for an upstream's platform. A word that ATT&CK has none for stays as it is."""
    return ATTACK_PLATFORMS.get(word.strip().lower(), word.strip())


def attack_platforms(words: Iterable[str]) -> tuple[str, ...]:
    """ATT&CK's words for the platforms, in upstream's order and without repeats."""
    return tuple(dict.fromkeys(attack_platform(word) for word in words))
