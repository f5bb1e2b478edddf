"""The worker seen from its supervisor: how it is started, read, killed and ended."""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.probe.report import Report
from harness.probe.shared_counters import SharedCounters
from harness.probe.stderr_tail import StderrTail

_CHUNK_BYTES = 1 << 16


class WorkerProcess:
    """A started worker.

    It has a pipe of its own for its report; all else that it writes goes to standard error. As a context manager it leaves no worker behind, however the block ends.

    Args:
        words: The words of the probe's own command line.
        scratch: The folder that the sessions may write to.
    """

    def __init__(self, words: Sequence[str], scratch: Path) -> None:
        self.counters, counters_fd = SharedCounters.create()
        report_read, report_write = os.pipe()
        handed_on = (report_write, counters_fd)
        command = [sys.executable, "-m", "harness.probe.worker"]
        self._process = subprocess.Popen(
            [*command, *map(str, handed_on), str(os.getpid()), str(scratch), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=handed_on,
            process_group=0,  # an interrupt from the terminal is the supervisor's to handle
        )
        for fd in handed_on:
            os.close(fd)
        self._tail = StderrTail(_write_stderr)
        self._report = b""
        self._selector = selectors.DefaultSelector()
        self._open(report_read, self._take_report)
        if self._process.stdout is not None:
            self._open(self._process.stdout.fileno(), self._tail.feed)
        self._report_fd = report_read

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def report(self) -> Report | None:
        """What the worker reported; None when it has not, or died over it."""
        return Report.from_line(self._report)

    @property
    def stderr_tail(self) -> list[str]:
        """The last lines that the worker wrote to either stream."""
        return self._tail.lines()

    def __enter__(self) -> Self:
        """Return the worker itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the worker if it still runs, and close what it was read by."""
        self.kill()
        self._selector.close()
        os.close(self._report_fd)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def poll(self) -> int | None:
        """Return how the worker ended, its exit code or minus the signal; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End the worker and what it has started, at once, and wait for the worker's end."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()

    def read(self, timeout_s: float) -> None:
        """Read what the worker writes until the time has passed."""
        for key, _ in self._selector.select(timeout_s):
            self._read_one(key)

    def drain(self) -> None:
        """Read what is still in the pipes of a worker that has ended, without waiting for more."""
        while events := self._selector.select(0):
            for key, _ in events:
                self._read_one(key)

    def _open(self, fd: int, take: object) -> None:
        os.set_blocking(fd, False)
        self._selector.register(fd, selectors.EVENT_READ, take)

    def _read_one(self, key: selectors.SelectorKey) -> None:
        chunk = os.read(key.fd, _CHUNK_BYTES)
        if chunk:
            key.data(chunk)
        else:
            self._selector.unregister(key.fd)

    def _take_report(self, chunk: bytes) -> None:
        self._report += chunk


def _write_stderr(chunk: bytes) -> None:
    sys.stderr.buffer.write(chunk)
    sys.stderr.buffer.flush()
