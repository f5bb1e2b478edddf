"""Estimates with intervals, tests, and lines."""
