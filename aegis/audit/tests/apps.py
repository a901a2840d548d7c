"""An app of the tests: it brings a `flush` that may empty the audit trail, which nothing else may."""

from django.apps import AppConfig


class AuditTestsConfig(AppConfig):
    name = "aegis.audit.tests"
    label = "audit_tests"
