"""Aegis: which ATT&CK techniques a team would detect, the proof, and what to do next."""

from aegis.celery import app as celery_app

__all__ = ["__version__", "celery_app"]
__version__ = "0.1.0"
