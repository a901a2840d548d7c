"""Our own judgement: what was tried, what happened, and what it proves; and what people lay over the matrix."""

from coverage.models.campaign import Campaign
from coverage.models.evidence import Evidence
from coverage.models.gap import GapAssignment
from coverage.models.layer import Layer, LayerTechnique, SavedView
from coverage.models.snapshot import CoverageSnapshot
from coverage.models.status import TechniqueCoverage
from coverage.models.test import Test, TestInvolvement, TestOutcome

__all__ = [
    "Campaign",
    "CoverageSnapshot",
    "Evidence",
    "GapAssignment",
    "Layer",
    "LayerTechnique",
    "SavedView",
    "TechniqueCoverage",
    "Test",
    "TestInvolvement",
    "TestOutcome",
]
