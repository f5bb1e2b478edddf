"""Which counters there are, and on what they count."""

import time

from harness.adapters.callgrind_counter import CallgrindCounter
from harness.adapters.counted_run import CountedRuns
from harness.adapters.local_sides import LocalSideFolders
from harness.adapters.memory_counter import MemoryCounter
from harness.adapters.strace_counter import StraceCounter
from harness.cost_run import Counting
from harness.ports import Progress


def make_counting(progress: Progress) -> Counting:
    """Give every counter there is, on local environments; the quickest comes first, and finds out which side cannot be counted."""
    sides = LocalSideFolders()
    runs = CountedRuns(confined=lambda: sides.confined)
    return Counting(
        counters=(MemoryCounter(runs), StraceCounter(runs), CallgrindCounter(runs)),
        sides=sides,
        progress=progress,
        now_s=time.monotonic,
    )
