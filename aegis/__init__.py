"""Aegis: which ATT&CK techniques a team would detect, the proof, and what to do next."""

__version__ = "0.1.0"
