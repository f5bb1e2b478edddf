"""A cell and its keeper, seen from the run: started, read, told to end, and what came of it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import harness
from harness.adapters.local.capture import Capture
from harness.adapters.local.enforcement import MARK, Holding
from harness.adapters.local.launcher import Errand, KeptEnd, read_report
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine, read_output

_POLL_S = 0.1
_HEARD_EACH_S = 1.0
_ENDING_S = 60.0
_STDERR_LINES = 1000
_HARNESS = Path(harness.__file__).parents[1]


class KeptCell:
    """A cell with its keeper; as a context manager it leaves neither behind.

    Args:
        holding: How its caps are held.
        errand: What the keeper is to do.
    """

    def __init__(self, holding: Holding, errand: Errand) -> None:
        self._holding = holding
        self._errand = errand
        self._started = time.monotonic()
        # -P: the current folder is not where its modules come from
        own = (sys.executable, "-P", "-m", "harness.adapters.local.launcher", errand.to_text())
        self._process = subprocess.Popen(
            [*holding.before(errand.name), *own],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(_HARNESS), *filter(None, sys.path)]),
                MARK: errand.environment.get(MARK, ""),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # an interrupt from the terminal is ours to handle
        )

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Have the keeper end its cell, if it has not; one that does not is killed, and its cell is `reap`'s."""
        self._cut()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING_S)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def follow(
        self, timeout_s: float, on_progress: Callable[[ProgressLine], None], holds: tuple[str, ...]
    ) -> Observation:
        """Read what the cell prints until it has ended, or is made to, and return all that was seen of it."""
        if self._process.stdout is None or self._process.stderr is None:
            msg = "a keeper has pipes"
            raise AssertionError(msg)
        capture = Capture(self._process.stdout, self._process.stderr)
        try:
            timed_out = self._read(capture, timeout_s, on_progress)
            capture.drain()
            wall_s = time.monotonic() - self._started
            return self._observe(capture, wall_s, timed_out=timed_out, holds=holds)
        finally:
            capture.close()

    def _read(
        self, capture: Capture, timeout_s: float, on_progress: Callable[[ProgressLine], None]
    ) -> bool:
        """Read to the end; return whether that was the time limit."""
        deadline, heard_at, is_cut = self._started + timeout_s, self._started, False
        while self._process.poll() is None:
            capture.read(_POLL_S)
            now = time.monotonic()
            if now >= deadline and not is_cut:
                self._cut()
                is_cut = True
            if now >= deadline + _ENDING_S:
                break
            if now - heard_at >= _HEARD_EACH_S and (line := capture.take_progress()) is not None:
                heard_at = now
                on_progress(line)
        return is_cut

    def _cut(self) -> None:
        """Close the wire, which is how a keeper is told to end its cell."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def _observe(
        self, capture: Capture, wall_s: float, *, timed_out: bool, holds: tuple[str, ...]
    ) -> Observation:
        end = read_report(Path(self._errand.report))
        stdout, stderr = capture.stdout, capture.stderr
        if end is None or end.code is None:
            said = stderr[-1] if stderr else f"exit code {self._process.poll()}"
            return Observation(
                output=read_output(stdout),
                exit_code=None,
                wall_s=wall_s,
                engine_error=f"the keeper of the cell failed: {said}",
                stderr=tuple(stderr[-_STDERR_LINES:]),
                stdout="\n".join(stdout),
                holds=holds,
            )
        killed = self._holding.memory_kill(end)
        return Observation(
            output=read_output(stdout),
            exit_code=_shell_code(end),
            wall_s=wall_s,
            oom_killed=bool(killed),
            oom_witness=killed,
            timed_out=timed_out and end.stopped,
            stderr=tuple(stderr[-_STDERR_LINES:]),
            stdout="\n".join(stdout),
            holds=holds,
            box_evidence=dict(end.evidence),
        )


def _shell_code(end: KeptEnd) -> int | None:
    """Return the exit code as a shell and an engine give it: 128+N for signal N."""
    return 128 - end.code if end.code is not None and end.code < 0 else end.code
