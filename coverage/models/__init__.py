"""Our own judgement: what was tried, what happened, and what it proves."""

from coverage.models.campaign import Campaign
from coverage.models.evidence import Evidence
from coverage.models.status import TechniqueCoverage
from coverage.models.test import Test, TestInvolvement, TestOutcome

__all__ = ["Campaign", "Evidence", "TechniqueCoverage", "Test", "TestInvolvement", "TestOutcome"]
