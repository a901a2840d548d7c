"""Fetching a source over the ways that the settings name."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from imports.fetchers import NotModified, Snapshot, TaxiiServer, fetch
from imports.upstream import Source


def fetch_source(source: Source, **options: Any) -> Snapshot | NotModified:
    """What the configured ways bring, the newer TAXII protocol before the older; `options` are those of `fetchers.fetch`."""
    configured = (("2.1", settings.AEGIS_TAXII_URL), ("2.0", settings.AEGIS_TAXII20_URL))
    servers = [TaxiiServer(version, url, settings.AEGIS_TAXII_SECONDS) for version, url in configured if url]
    return fetch(source, extra_hosts=settings.AEGIS_EXTRA_HOSTS, taxii=servers, **options)


def is_sample(origin: str) -> bool:
    """Whether what came from there is what Aegis brings along to be tried with."""
    return str(settings.BASE_DIR / "samples") in origin
