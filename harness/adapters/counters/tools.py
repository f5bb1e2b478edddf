"""The counters of instructions, system calls and memory."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.adapters.counters.readings import read_calls, read_instructions
from harness.adapters.counters.runner import CountedProcess, CountingRunner, Instrument
from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.verbs.ports import CountSpec


class _ToolCounter:
    """A counter over one tool; its subclasses name the tool and read its output.

    Args:
        runner: Runs the processes.
    """

    name: CounterName
    levels: tuple[int, int]
    instrument: Instrument
    package = ""
    """The program, and its package; empty for what every interpreter has."""

    cost = ""
    """The cost that is missing without the program."""

    def __init__(self, runner: CountingRunner) -> None:
        self._runner = runner

    def find_missing(self) -> str:
        """Return a sentence on how to install the program; empty if it is installed."""
        if not self.package or shutil.which(self.package):
            return ""
        return f"{self.cost} is not counted: {self.package} is not installed (apt-get install {self.package})"

    def count(self, specs: Sequence[CountSpec]) -> list[CountedRun | Uncounted]:
        """Run the processes under the tool, and return the count of each."""
        return [self._count(found) for found in self._runner.run(specs, self.instrument)]

    def _count(self, found: CountedProcess | Uncounted) -> CountedRun | Uncounted:
        if isinstance(found, Uncounted):
            return found
        amounts, line = self.read(found), found.line
        if isinstance(amounts, str):
            return Uncounted(reason=amounts, refused=False)
        return CountedRun(
            sessions=line.ok, turns=line.turns_total, amounts=amounts, subject=line.subject.hash
        )

    def read(self, process: CountedProcess) -> Mapping[str, int] | str:
        """Return the amounts by name, or the reason why there are none."""
        raise NotImplementedError


def _callgrind(output: Path) -> Sequence[str]:
    # vgdb would make pipes for a debugger in /tmp
    return (
        "valgrind",
        "--tool=callgrind",
        "--quiet",
        "--vgdb=no",
        f"--callgrind-out-file={output}",
    )


def _strace(output: Path) -> Sequence[str]:
    return ("strace", "-f", "-qq", "-c", "-o", str(output))


class CallgrindCounter(_ToolCounter):
    """Counts the instructions of a process.

    The interpreter allocates with malloc: valgrind does not see into the interpreter's own arenas, and equal addresses hash alike.
    """

    name = CounterName.CALLGRIND
    levels = (10, 20)
    package, cost = "valgrind", "instructions/turn"
    instrument = Instrument(tool=_callgrind, environment=(("PYTHONMALLOC", "malloc"),))

    def read(self, process: CountedProcess) -> Mapping[str, int] | str:
        """Read the total of callgrind's file."""
        instructions = read_instructions(process.output)
        return (
            "callgrind wrote no total" if instructions is None else {"instructions": instructions}
        )


class StraceCounter(_ToolCounter):
    """Counts the system calls of a process and of all its threads."""

    name = CounterName.STRACE
    levels = (20, 40)
    package, cost = "strace", "system-calls/turn"
    instrument = Instrument(tool=_strace)

    def read(self, process: CountedProcess) -> Mapping[str, int] | str:
        """Read the table of strace."""
        return read_calls(process.output) or "strace wrote no table"


class MemoryCounter(_ToolCounter):
    """Counts traced bytes and blocks of the allocator while all sessions are alive."""

    name = CounterName.MEMORY
    levels = (200, 400)
    instrument = Instrument(words=("--memory",))

    def read(self, process: CountedProcess) -> Mapping[str, int] | str:
        """Read the COUNT of the probe."""
        line = process.line
        if line.alive != line.c or line.traced_bytes is None or line.allocated_blocks is None:
            return (
                f"{line.alive or 0} of {line.c} sessions were alive when memory was to be counted"
            )
        return {"traced-bytes": line.traced_bytes, "allocated-blocks": line.allocated_blocks}
