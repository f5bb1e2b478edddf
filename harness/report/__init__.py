"""Analysis as text."""
