"""Estimates with intervals, tests with their power, and lines."""
