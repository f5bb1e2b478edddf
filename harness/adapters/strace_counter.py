"""System calls by name, counted by strace."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.counted_run import Counted, CountedRuns, Wrapping
from harness.costs import Count, CounterName, Uncounted, read_calls
from harness.counters import CountOrder


@dataclass(frozen=True, slots=True)
class StraceCounter:
    """Counts the system calls of a process and of all its threads."""

    runs: CountedRuns
    name: CounterName = CounterName.STRACE
    levels: tuple[int, int] = (20, 40)

    def find_missing(self) -> str:
        """Say how to get strace where it is not."""
        if shutil.which("strace") is None:
            return "system-calls/turn is not counted: strace is not installed (apt-get install strace)"
        return ""

    def count(self, orders: Sequence[CountOrder]) -> list[Count | Uncounted]:
        """Run the processes under strace."""
        return [_read_strace(found) for found in self.runs.run(orders, Wrapping(tool=_strace))]


def _strace(output: Path) -> Sequence[str]:
    return ("strace", "-f", "-qq", "-c", "-o", str(output))


def _read_strace(found: Counted | Uncounted) -> Count | Uncounted:
    if isinstance(found, Uncounted):
        return found
    calls = read_calls(found.output)
    if not calls:
        return Uncounted(reason="strace wrote no table", refused=False)
    line = found.line
    return Count(
        sessions=line.ok, turns=line.turns_total, amounts=calls, subject=line.subject.hash
    )
