"""`/health/metrics`, in Prometheus' text format: what the site answers, and how imports, tests and the audit trail stand.

Requests are counted by django-prometheus. With PROMETHEUS_MULTIPROC_DIR (a folder that gunicorn's workers share) its counters
are summed over all processes of this machine; our own figures come from the database and are the same everywhere.
"""

import os
import time
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from aegis.accounts.access import public
from aegis.audit.models import AuditLog
from aegis.health import holds_token
from coverage.models import Test
from imports.models import DataSource, ImportRun
from imports.queueing import machinery

SHARED: Final = 15.0
"""Seconds for which the figures of the database are given again: several Prometheus servers cost no more than one."""


class Standing(Collector):
    """Our own figures. Six queries, at most every `SHARED` seconds."""

    def __init__(self) -> None:
        self._until = 0.0
        self._found: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """All gauges, as they stood a few seconds ago at most."""
        if time.monotonic() >= self._until:
            self._found = [*_imports(), *_machinery(), _tests(), _audit()]
            self._until = time.monotonic() + SHARED
        yield from self._found


def _imports() -> Iterator[Metric]:
    runs = GaugeMetricFamily("aegis_import_runs", "Import runs by source and status.", labels=["source", "status"])
    for slug, status, number in (
        ImportRun.objects.order_by().values_list("source__slug", "status").annotate(Count("pk"))
    ):
        runs.add_metric([slug, status], number)
    yield runs
    ages = GaugeMetricFamily("aegis_source_sync_age_seconds", "Since the last successful sync.", labels=["source"])
    good = (ImportRun.Status.SUCCEEDED, ImportRun.Status.NOT_MODIFIED)
    ended = ImportRun.objects.filter(status__in=good, dry_run=False, source__enabled=True)
    for slug, at in ended.order_by().values_list("source__slug").annotate(Max("finished_at")):
        ages.add_metric([slug], (timezone.now() - at).total_seconds())
    yield ages
    enabled = GaugeMetricFamily("aegis_source_enabled", "1 for a source that is synced.", labels=["source"])
    for slug, is_enabled in DataSource.objects.values_list("slug", "enabled"):
        enabled.add_metric([slug], is_enabled)
    yield enabled


def _machinery() -> Iterator[Metric]:
    found = machinery()
    yield GaugeMetricFamily("aegis_beat_up", "1 where beat was heard of just now.", value=found.has_beat)
    yield GaugeMetricFamily("aegis_worker_up", "1 where a worker was heard of just now.", value=found.has_worker)
    yield GaugeMetricFamily("aegis_import_runs_waiting", "Runs that no worker has begun.", value=found.waiting)


def _tests() -> Metric:
    tests = GaugeMetricFamily("aegis_tests", "Tests by state, archived ones left out.", labels=["state"])
    for state, number in Test.objects.live().order_by().values_list("state").annotate(Count("pk")):
        tests.add_metric([state], number)
    return tests


def _audit() -> Metric:
    newest = AuditLog.objects.aggregate(newest=Max("pk"))["newest"] or 0
    return GaugeMetricFamily("aegis_audit_newest_row", "Number of the newest row of the audit trail.", value=newest)


standing = Standing()


def exposition() -> bytes:
    """All metrics in the text format."""
    own = CollectorRegistry()
    own.register(standing)
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(own)


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, to those who hold AEGIS_METRICS_TOKEN; 401 to others, and 404 where no token is set."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("No metrics here: AEGIS_METRICS_TOKEN is not set.\n", status=404, content_type="text/plain")
    if not holds_token(request):
        says = "Send the token as `Authorization: Bearer AEGIS_METRICS_TOKEN`.\n"
        return HttpResponse(says, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
