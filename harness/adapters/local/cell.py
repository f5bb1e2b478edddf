"""A launched cell, seen from the run: started, read, stopped, observed."""

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
from harness.adapters.local.enforcement import RUN_ENV, Enforcement
from harness.adapters.local.launcher import CellExit, LaunchSpec, read_exit
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine, read_output

_POLL_S = 0.1
_HEARD_EACH_S = 1.0
_ENDING_S = 60.0
_STDERR_LINES = 1000
_HARNESS = Path(harness.__file__).parents[1]


class LaunchedCell:
    """A cell and its launcher; as a context manager it leaves neither behind.

    Args:
        enforcement: How the caps are enforced.
        spec: The command of the cell, with its caps.
    """

    def __init__(self, enforcement: Enforcement, spec: LaunchSpec) -> None:
        self._enforcement = enforcement
        self._spec = spec
        self._started = time.monotonic()
        # -P: import no module from the current folder
        own = (sys.executable, "-P", "-m", "harness.adapters.local.launcher", spec.to_text())
        self._process = subprocess.Popen(
            [*enforcement.before(spec.name), *own],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(_HARNESS), *filter(None, sys.path)]),
                RUN_ENV: spec.environment.get(RUN_ENV, ""),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # Ctrl-C goes to the run alone
        )

    def __enter__(self) -> Self:
        """Return the cell."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cell; a launcher that does not end is killed."""
        self._close_stdin()
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
        """Read the output until the cell ends or is stopped; return the observation."""
        if self._process.stdout is None or self._process.stderr is None:
            msg = "a launcher has pipes"
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
        """Read to the end; return whether the time limit ended the cell."""
        deadline, heard_at, is_cut = self._started + timeout_s, self._started, False
        while self._process.poll() is None:
            capture.read(_POLL_S)
            now = time.monotonic()
            if now >= deadline and not is_cut:
                self._close_stdin()
                is_cut = True
            if now >= deadline + _ENDING_S:
                break
            if now - heard_at >= _HEARD_EACH_S and (line := capture.take_progress()) is not None:
                heard_at = now
                on_progress(line)
        return is_cut

    def _close_stdin(self) -> None:
        """Close the stdin pipe, upon which the launcher kills its cell."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def _observe(
        self, capture: Capture, wall_s: float, *, timed_out: bool, holds: tuple[str, ...]
    ) -> Observation:
        cell_exit = read_exit(Path(self._spec.report))
        stdout, stderr = capture.stdout, capture.stderr
        if cell_exit is None or cell_exit.code is None:
            said = stderr[-1] if stderr else f"exit code {self._process.poll()}"
            return Observation(
                output=read_output(stdout),
                exit_code=None,
                wall_s=wall_s,
                engine_error=f"the launcher of the cell failed: {said}",
                stderr=tuple(stderr[-_STDERR_LINES:]),
                stdout="\n".join(stdout),
                holds=holds,
            )
        killed = self._enforcement.memory_kill(cell_exit)
        return Observation(
            output=read_output(stdout),
            exit_code=_shell_code(cell_exit),
            wall_s=wall_s,
            oom_killed=bool(killed),
            oom_witness=killed,
            timed_out=timed_out and cell_exit.stopped,
            stderr=tuple(stderr[-_STDERR_LINES:]),
            stdout="\n".join(stdout),
            holds=holds,
            box_evidence=dict(cell_exit.evidence),
        )


def _shell_code(cell_exit: CellExit) -> int | None:
    """Return the exit code as shells do: 128+N for signal N."""
    code = cell_exit.code
    return 128 - code if code is not None and code < 0 else code
