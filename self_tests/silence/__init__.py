"""Silence: the verdicts are the same wherever and however the specification is run."""
