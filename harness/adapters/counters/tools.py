"""Instructions, counted by valgrind's callgrind."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.counters.counted_run import Counted, CountedRuns, Wrapping
from harness.adapters.counters.readings import read_calls, read_instructions
from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.verbs.ports import CountSpec


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

    def count(self, specs: Sequence[CountSpec]) -> list[CountedRun | Uncounted]:
        """Run the processes under callgrind."""
        wrapping = Wrapping(tool=_callgrind, environment=(("PYTHONMALLOC", "malloc"),))
        return [_read_callgrind(found) for found in self.runs.run(specs, wrapping)]


def _callgrind(output: Path) -> Sequence[str]:
    return (
        "valgrind",
        "--tool=callgrind",
        "--quiet",
        "--vgdb=no",  # no pipes for a debugger in /tmp
        f"--callgrind-out-file={output}",
    )


def _read_callgrind(found: Counted | Uncounted) -> CountedRun | Uncounted:
    if isinstance(found, Uncounted):
        return found
    instructions = read_instructions(found.output)
    if instructions is None:
        return Uncounted(reason="callgrind wrote no total", refused=False)
    line = found.line
    return CountedRun(
        sessions=line.ok,
        turns=line.turns_total,
        amounts={"instructions": instructions},
        subject=line.subject.hash,
    )


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

    def count(self, specs: Sequence[CountSpec]) -> list[CountedRun | Uncounted]:
        """Run the processes under strace."""
        return [_read_strace(found) for found in self.runs.run(specs, Wrapping(tool=_strace))]


def _strace(output: Path) -> Sequence[str]:
    return ("strace", "-f", "-qq", "-c", "-o", str(output))


def _read_strace(found: Counted | Uncounted) -> CountedRun | Uncounted:
    if isinstance(found, Uncounted):
        return found
    calls = read_calls(found.output)
    if not calls:
        return Uncounted(reason="strace wrote no table", refused=False)
    line = found.line
    return CountedRun(
        sessions=line.ok, turns=line.turns_total, amounts=calls, subject=line.subject.hash
    )


@dataclass(frozen=True, slots=True)
class MemoryCounter:
    """Counts the bytes that tracemalloc traces, and the blocks of the interpreter's allocator, while all the sessions are alive."""

    runs: CountedRuns
    name: CounterName = CounterName.MEMORY
    levels: tuple[int, int] = (200, 400)

    def find_missing(self) -> str:
        """Return nothing: it is in every interpreter."""
        return ""

    def count(self, specs: Sequence[CountSpec]) -> list[CountedRun | Uncounted]:
        """Run the processes."""
        return [
            _read_memory(found) for found in self.runs.run(specs, Wrapping(words=("--memory",)))
        ]


def _read_memory(found: Counted | Uncounted) -> CountedRun | Uncounted:
    if isinstance(found, Uncounted):
        return found
    line = found.line
    if line.alive != line.c or line.traced_bytes is None or line.allocated_blocks is None:
        reason = f"{line.alive or 0} of {line.c} sessions were alive when memory was to be counted"
        return Uncounted(reason=reason, refused=False)
    amounts = {"traced-bytes": line.traced_bytes, "allocated-blocks": line.allocated_blocks}
    return CountedRun(
        sessions=line.ok, turns=line.turns_total, amounts=amounts, subject=line.subject.hash
    )
