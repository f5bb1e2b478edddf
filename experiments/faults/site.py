"""The site of a scenario: a clone, an engine, and processes of the tool."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.faults.engine import Engine
from experiments.faults.leftovers import find_leftovers
from harness.adapters.results.store import FilesStore
from harness.model.cells import Cell
from tests.builders.checkout import Checkout

LEVELS = ("--levels", "20,40")
LOAD = (
    "--load",
    "2 20 5 2",
)  # a fifth of a second, too short for a check of the host's load
_COMPARE = ("--base", "HEAD~1", "--box", "docker", "--cpus", "1", "--mem", "512m")
_LONGEST_S = 300
_LOOK_S = 0.02


@dataclass(slots=True)
class Running:
    """A process of the tool.

    Args:
        process: The leader of its own session, as in a terminal.
        out, err: The files of its output.
    """

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    started: float
    peak_rss_mb: float = 0.0
    seconds: float = 0.0

    @property
    def progress(self) -> str:
        """The standard error so far."""
        return self.err.read_text(errors="replace")

    @property
    def table(self) -> str:
        """The standard output so far."""
        return self.out.read_text(errors="replace")

    @property
    def code(self) -> int:
        """The exit code, negative for a signal."""
        assert self.process.returncode is not None, "it still runs"
        return self.process.returncode

    @property
    def last_line(self) -> str:
        """The last line of standard error."""
        return (self.progress.strip().splitlines() or [""])[-1]

    def wait(self, longest_s: float = _LONGEST_S) -> "Running":
        """Wait for the end, record peak memory, and kill at the time limit."""
        deadline = time.monotonic() + longest_s
        while self.process.poll() is None:
            self._look_at_memory()
            if time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                message = f"no end within {longest_s:g} s; last line: {self.last_line}"
                raise AssertionError(message)
            time.sleep(_LOOK_S)
        self.seconds = time.monotonic() - self.started
        return self

    def runs_for(self, seconds: float) -> bool:
        """Wait for some time; return whether the process still runs."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def wait_for(self, text: str, longest_s: float = 120) -> "Running":
        """Wait until standard error matches a pattern."""
        deadline = time.monotonic() + longest_s
        while not re.search(text, self.progress):
            if self.process.poll() is not None or time.monotonic() > deadline:
                message = f"no line with {text!r}; last line: {self.last_line}"
                raise AssertionError(message)
            time.sleep(_LOOK_S)
        return self

    def kill(self) -> "Running":
        """Kill the process alone, without a chance to clean up."""
        self.process.kill()
        self.process.wait()
        return self

    def signal(self, number: signal.Signals, *, everybody: bool) -> None:
        """Signal the process, or its whole session like a terminal."""
        if everybody:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def _look_at_memory(self) -> None:
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if found:
            self.peak_rss_mb = max(self.peak_rss_mb, int(found[1]) / 1024)


@dataclass(slots=True)
class Site:
    """A clone with a branch one commit ahead, and the engine of its cells."""

    checkout: Checkout
    engine: Engine
    environment: Mapping[str, str] = field(default_factory=dict)
    _before: list[str] = field(default_factory=list)
    _started: list[Running] = field(default_factory=list)
    _number: int = 0

    @classmethod
    def make(cls, source: Path, root: Path, engine: Engine) -> "Site":
        """Clone a repository, and change its runtime in one commit."""
        subprocess.run(["git", "clone", "--quiet", str(source), str(root)], check=True)
        checkout = Checkout(root)
        checkout.git("checkout", "--quiet", "-b", "topic")
        site = cls(checkout, engine)
        site.change(f"A change for {root.name}")
        site._before = site._left()
        return site

    @property
    def results(self) -> Path:
        """The folder of the tool's results."""
        return self.checkout.root / "results"

    def change(self, title: str, **files: str) -> None:
        """Commit a change of the runtime: the branch then needs a build."""
        path = self.checkout.root / "src/escapement/__init__.py"
        path.write_text(f"{path.read_text()}# {title}\n")
        self.checkout.commit(title, **files)

    def compare(self, *words: str, load: tuple[str, ...] = (*LEVELS, *LOAD)) -> Running:
        """Start a comparison of the last commit with its parent."""
        return self.invoke("compare", *_COMPARE, *load, *words)

    def resume(self, folder: Path) -> Running:
        """Resume a run."""
        return self.invoke("compare", "--resume", str(folder))

    def invoke(self, *words: str) -> Running:
        """Start the tool in the clone, with the code of the clone."""
        self._number += 1
        root = self.checkout.root
        out, err = (
            root.with_name(f"{root.name}.{self._number}.{kind}") for kind in ("out", "err")
        )
        own = {
            "PYTHONPATH": f"{root}/src:{root}",
            "DOCKER_HOST": self.engine.host,
            "CI": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "invoke", *words],
                cwd=root,
                env={**os.environ, **own, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        running = Running(process, out, err, time.monotonic())
        self._started.append(running)
        return running

    def end(self) -> None:
        """Kill processes that still run after a failed check."""
        for running in self._started:
            if running.process.poll() is None:
                running.kill()

    def runs(self) -> list[Path]:
        """Return the folders of runs, oldest first."""
        if not self.results.is_dir():
            return []
        return sorted(path for path in self.results.iterdir() if path.name.startswith("20"))

    def cells(self, folder: Path) -> tuple[list[Cell], bool]:
        """Return the cells of a run, and whether the run is complete."""
        _, cells, is_complete = FilesStore(self.results).load(str(folder))
        return cells, is_complete

    def left(self) -> list[str]:
        """List the leftovers since the site was made."""
        return [line for line in self._left() if line not in self._before]

    def clean(self) -> str:
        """Run `invoke clean`, and return its output."""
        done = self.invoke("clean").wait()
        assert done.code == 0, f"clean ended with {done.code}: {done.last_line}"
        return done.table.strip()

    def _left(self) -> list[str]:
        return find_leftovers(self.checkout.root, self.engine.host)
