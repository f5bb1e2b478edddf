"""Exact costs, from counts at two levels."""
