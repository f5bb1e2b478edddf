"""Boxes without an engine: cgroup and watchdog."""
