"""The process that drives the sessions."""
