"""Instructions, counted by valgrind's callgrind."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.counted_run import Counted, CountedRuns, Wrapping
from harness.costs import Count, CounterName, Uncounted, read_instructions
from harness.counters import CountOrder


@dataclass(frozen=True, slots=True)
class CallgrindCounter:
    """Counts the instructions of a process.

    The interpreter takes its memory from malloc, because valgrind does not see into the interpreter's own arenas, and what is found at
    the same address each time is hashed the same.
    """

    runs: CountedRuns
    name: CounterName = CounterName.CALLGRIND
    levels: tuple[int, int] = (10, 20)

    def find_missing(self) -> str:
        """Say how to get valgrind where it is not."""
        if shutil.which("valgrind") is None:
            return "instructions/turn is not counted: valgrind is not installed (apt-get install valgrind)"
        return ""

    def count(self, orders: Sequence[CountOrder]) -> list[Count | Uncounted]:
        """Run the processes under callgrind."""
        wrapping = Wrapping(tool=_callgrind, environment=(("PYTHONMALLOC", "malloc"),))
        return [_read_callgrind(found) for found in self.runs.run(orders, wrapping)]


def _callgrind(output: Path) -> Sequence[str]:
    return (
        "valgrind",
        "--tool=callgrind",
        "--quiet",
        "--vgdb=no",  # no pipes for a debugger in /tmp
        f"--callgrind-out-file={output}",
    )


def _read_callgrind(found: Counted | Uncounted) -> Count | Uncounted:
    if isinstance(found, Uncounted):
        return found
    instructions = read_instructions(found.output)
    if instructions is None:
        return Uncounted(reason="callgrind wrote no total", refused=False)
    line = found.line
    return Count(
        sessions=line.ok,
        turns=line.turns_total,
        amounts={"instructions": instructions},
        subject=line.subject.hash,
    )
