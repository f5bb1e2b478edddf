"""Counters of exact costs: callgrind, strace, tracemalloc."""
