"""The counting probe, started in the same way by every counter."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.counters.local_sides import WORK
from harness.adapters.counters.processes import Command, ProcessEnd, run_all
from harness.adapters.counters.readings import CountLine, read_count_line
from harness.adapters.host.isolation import Confinement
from harness.analysis.costs.count import Uncounted
from harness.verbs.ports import CountSpec

TIMEOUT_S = 120.0
_AT_ONCE = 2
_OUTPUT = "output"
# No site-packages (-S), none of the user (-s), and no current folder (-P) on the path.
_PYTHON = (sys.executable, "-S", "-s", "-P", "-m", "harness.probe.worker.counting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The part of a command that belongs to one counter.

    Args:
        tool: Returns the words before the program; called with the file that the tool writes.
        words: The words after the program.
        environment: More variables.
    """

    tool: Callable[[Path], Sequence[str]] = lambda _output: ()
    words: Sequence[str] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedProcess:
    """A process that has printed its COUNT.

    Args:
        line: The COUNT.
        output: The file of the tool; empty if it wrote none.
    """

    line: CountLine
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingRunner:
    """Runs counting probes, two at a time if there are two CPUs.

    Args:
        confined: Returns the confinement of the processes.
        timeout_s: The time limit of each.
    """

    confined: Callable[[], Confinement]
    timeout_s: float = TIMEOUT_S

    def run(
        self, specs: Sequence[CountSpec], instrument: Instrument
    ) -> list[CountedProcess | Uncounted]:
        """Run the processes and return their counts, in the order of the specs."""
        works = [self._make_work(spec) for spec in specs]
        try:
            commands = [
                self._command(spec, work, instrument)
                for spec, work in zip(specs, works, strict=True)
            ]
            at_once = min(_AT_ONCE, os.cpu_count() or 1)
            ends = run_all(commands, at_once=at_once, timeout_s=self.timeout_s)
            return [self._read(end, work) for end, work in zip(ends, works, strict=True)]
        finally:
            for work in works:
                shutil.rmtree(work, ignore_errors=True)

    def _make_work(self, spec: CountSpec) -> Path:
        """Make the folder that a process runs in and writes to."""
        work = Path(tempfile.mkdtemp(prefix="", dir=Path(spec.place, WORK)))
        uid = self.confined().uid
        if uid is not None:
            os.chown(work, uid, uid)
        return work

    def _command(self, spec: CountSpec, work: Path, instrument: Instrument) -> Command:
        """Return the command of a process.

        The process never names its own folder: the text of a path affects collisions in dicts. The paths of modules are the same at
        both levels, so their cost drops out of the slope.
        """
        environment = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "SCALE_VT": "1",  # as in the image
            **spec.drive.environment,
            "SCALE_CLOCK": "virtual",
            "SCALE_SCRATCH": ".",
            "TMPDIR": ".",
            "PYTHONPATH": f"{spec.place}/src:{spec.place}",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict(instrument.environment),
        }
        words = (
            *self.confined().words,
            *instrument.tool(work / _OUTPUT),
            *_PYTHON,
            *instrument.words,
            *(spec.drive.arm, str(spec.level), *spec.load.arguments),
        )
        return Command(words=words, environment=environment, folder=work)

    def _read(self, end: ProcessEnd, work: Path) -> CountedProcess | Uncounted:
        if end.code is None:
            return Uncounted(reason=f"it did not end within {self.timeout_s:g} s", refused=False)
        line = read_count_line(end.stdout, end.stderr, end.code)
        if isinstance(line, Uncounted):
            return line
        output = work / _OUTPUT
        text = output.read_text(errors="replace") if output.exists() else ""
        return CountedProcess(line=line, output=text)
