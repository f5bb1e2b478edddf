"""One counted process as all counters start it: the same environment, the same paths, and its COUNT read."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.counters.counted_processes import Command, Ended, run_all
from harness.adapters.counters.local_sides import WORK
from harness.adapters.counters.readings import CountLine, read_count_line
from harness.adapters.host.isolation import Confinement
from harness.analysis.costs.count import Uncounted
from harness.verbs.ports import CountSpec

TIMEOUT_S = 120.0
_AT_ONCE = 2
_OUTPUT = "output"
# Nothing of the host's environment: no site-packages (-S), no user's (-s), no current folder (-P) on its path.
_PYTHON = (sys.executable, "-S", "-s", "-P", "-m", "harness.probe.worker.counting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """What a counter puts around the process.

    Args:
        tool: The words before it, given the file that the tool is to write.
        words: The words after the program's name.
        environment: What it needs to be told.
    """

    tool: Callable[[Path], Sequence[str]] = lambda _output: ()
    words: Sequence[str] = ()
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A process that has printed its COUNT.

    Args:
        output: What the tool wrote; empty when it wrote nothing.
    """

    line: CountLine
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRuns:
    """Starts counted processes, two at a time where there are two CPUs.

    Args:
        confined: How they are held.
        timeout_s: For each.
    """

    confined: Callable[[], Confinement]
    timeout_s: float = TIMEOUT_S

    def run(self, specs: Sequence[CountSpec], wrapping: Wrapping) -> list[Counted | Uncounted]:
        """Run them and return what each came to, in the same order."""
        works = [self._make_work(spec) for spec in specs]
        try:
            commands = [
                self._command(spec, work, wrapping)
                for spec, work in zip(specs, works, strict=True)
            ]
            at_once = min(_AT_ONCE, os.cpu_count() or 1)
            ended = run_all(commands, at_once=at_once, timeout_s=self.timeout_s)
            return [self._read(one, work) for one, work in zip(ended, works, strict=True)]
        finally:
            for work in works:
                shutil.rmtree(work, ignore_errors=True)

    def _make_work(self, spec: CountSpec) -> Path:
        """Make the folder that a process writes to, and runs in."""
        work = Path(tempfile.mkdtemp(prefix="", dir=Path(spec.place, WORK)))
        uid = self.confined().uid
        if uid is not None:
            os.chown(work, uid, uid)
        return work

    def _command(self, spec: CountSpec, work: Path, wrapping: Wrapping) -> Command:
        """Return how a process is run: in a folder of its own that it never names, because the text of a path bears on how dicts collide.

        The paths of its modules are the same at both levels, so what they cost drops out.
        """
        environment = {
            "PATH": os.defpath,
            "LC_ALL": "C",
            "SCALE_VT": "1",  # as the image has it
            **spec.drive.environment,
            "SCALE_CLOCK": "virtual",
            "SCALE_SCRATCH": ".",
            "TMPDIR": ".",
            "PYTHONPATH": f"{spec.place}/src:{spec.place}",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            **dict(wrapping.environment),
        }
        arm = (spec.drive.arm, str(spec.level), *spec.load.arguments)
        words = (
            *self.confined().words,
            *wrapping.tool(work / _OUTPUT),
            *_PYTHON,
            *wrapping.words,
            *arm,
        )
        return Command(words=words, environment=environment, folder=work)

    def _read(self, ended: Ended, work: Path) -> Counted | Uncounted:
        if ended.code is None:
            return Uncounted(reason=f"it was not over after {self.timeout_s:g} s", refused=False)
        line = read_count_line(ended.stdout, ended.stderr, ended.code)
        if isinstance(line, Uncounted):
            return line
        output = work / _OUTPUT
        text = output.read_text(errors="replace") if output.exists() else ""
        return Counted(line=line, output=text)
