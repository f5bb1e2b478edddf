"""The counters in shared memory."""

import os

from harness.probe.shared_counters import SharedCounters


def test_counters_are_shared_between_mappings() -> None:
    """One mapping reads the values that another has written."""
    ours, fd = SharedCounters.create()
    theirs = SharedCounters(fd)
    os.close(fd)
    theirs.set_sessions(done=3, errors=1)
    theirs.set_deltas_of_loop(1 << 40)
    assert (ours.done, ours.errors, ours.deltas) == (3, 1, 1 << 40)
