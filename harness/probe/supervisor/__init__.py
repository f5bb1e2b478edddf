"""The process that watches the worker."""
