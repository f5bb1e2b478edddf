"""Faults injected into real runs, and what is left after each."""
