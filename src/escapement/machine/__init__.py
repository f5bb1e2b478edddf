"""Statechart steps over a compiled table."""
