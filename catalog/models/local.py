"""Techniques of the organisation's own: they stand among ATT&CK's, and no import touches them."""

from django.conf import settings
from django.db import models

from catalog.models.attack import Technique


class LocalTechnique(models.Model):
    """Who wrote a technique whose source is `LOCAL`; when, its row among the techniques says. `version` counts the writes."""

    technique = models.OneToOneField(Technique, models.PROTECT, related_name="local", editable=False)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    def __str__(self) -> str:
        return str(self.technique)
