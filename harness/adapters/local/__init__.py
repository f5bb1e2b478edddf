"""Boxes without an engine: builds are environments of this machine, and each cell is kept by a process of its own."""
