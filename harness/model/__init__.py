"""Stored values, their units, the errors, and the request of a caller."""
