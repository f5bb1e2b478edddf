"""What sessions hold, counted by the interpreter itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.adapters.counted_run import Counted, CountedRuns, Wrapping
from harness.costs import Count, CounterName, Uncounted
from harness.counters import CountOrder


@dataclass(frozen=True, slots=True)
class MemoryCounter:
    """Counts the bytes that tracemalloc traces, and the blocks of the interpreter's allocator, while all the sessions are alive."""

    runs: CountedRuns
    name: CounterName = CounterName.MEMORY
    levels: tuple[int, int] = (200, 400)

    def find_missing(self) -> str:
        """Return nothing: it is in every interpreter."""
        return ""

    def count(self, orders: Sequence[CountOrder]) -> list[Count | Uncounted]:
        """Run the processes."""
        return [_read_memory(found) for found in self.runs.run(orders, Wrapping(words=("--memory",)))]


def _read_memory(found: Counted | Uncounted) -> Count | Uncounted:
    if isinstance(found, Uncounted):
        return found
    line = found.line
    if line.alive != line.c or line.traced_bytes is None or line.allocated_blocks is None:
        reason = f"{line.alive or 0} of {line.c} sessions were alive when memory was to be counted"
        return Uncounted(reason=reason, refused=False)
    amounts = {"traced-bytes": line.traced_bytes, "allocated-blocks": line.allocated_blocks}
    return Count(
        sessions=line.ok, turns=line.turns_total, amounts=amounts, subject=line.subject.hash
    )
