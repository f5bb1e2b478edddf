"""Start, read, kill and end a worker process."""

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.probe.report import READY, Report
from harness.probe.shared_counters import SharedCounters

_CHUNK_BYTES = 1 << 16
_KEPT_LINES = 20
_LONGEST_LINE_BYTES = 2000
_PASSED_BYTES = 1 << 20


class WorkerProcess:
    """A worker process.

    It sends its report through a separate pipe; all its other output goes to standard error. It
    receives the start time on standard input. The context manager leaves no worker behind,
    however the block ends.

    Args:
        words: The probe's command line.
        scratch: Folder for the sessions' files.
        shard: Number of the worker, from 0.
    """

    def __init__(self, words: Sequence[str], scratch: Path, shard: int) -> None:
        self.shard = shard
        self.counters, counters_fd = SharedCounters.create()
        self._report_fd, report_write = os.pipe()
        inherited = (report_write, counters_fd)
        command = [sys.executable, "-m", "harness.probe.worker.worker"]
        arguments = (*inherited, os.getpid(), scratch, shard, *words)
        self._process = subprocess.Popen(
            [*command, *map(str, arguments)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            process_group=0,  # only the supervisor handles an interrupt from the terminal
        )
        for fd in inherited:
            os.close(fd)
        self._tail = StderrTail(_write_stderr)
        self._reported = bytearray()
        self.report: Report | None = None
        self.returncode: int | None = None
        self._sinks: dict[int, Callable[[bytes], object]] = {
            self._report_fd: self._reported.extend
        }
        if self._process.stdout is not None:
            self._sinks[self._process.stdout.fileno()] = self._tail.feed
        for fd in self._sinks:
            os.set_blocking(fd, False)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def fds(self) -> Sequence[int]:
        """Return the descriptors of its output."""
        return list(self._sinks)

    @property
    def is_ready(self) -> bool:
        """Return whether the worker has built its arm and waits for its start."""
        return self._reported.startswith(READY)

    @property
    def stderr_tail(self) -> list[str]:
        """Return the last lines that the worker wrote to either stream."""
        return self._tail.lines()

    def __enter__(self) -> Self:
        """Return the worker."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the worker if it still runs, and close its pipes."""
        self.kill()
        self._process.wait()
        os.close(self._report_fd)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def start(self, start_s: float) -> None:
        """Start the sessions.

        Args:
            start_s: Start of all latencies, in monotonic seconds.
        """
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # it has died: `poll` returns how
                self._process.stdin.write(f"{start_s!r}\n".encode("ascii"))
            self._process.stdin.close()

    def poll(self) -> int | None:
        """Return the worker's exit code or minus the signal; None while it runs.

        Before it returns a code it reads all output; without a complete report `report` is None.
        """
        if self.returncode is None and (returncode := self._process.poll()) is not None:
            for fd in self._sinks:
                with suppress(BlockingIOError):
                    while self.read(fd):
                        pass
            self.report = Report.from_line(bytes(self._reported.removeprefix(READY)))
            self.returncode = returncode
        return self.returncode

    def kill(self) -> None:
        """Kill the worker and its children, without waiting for their end."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def read(self, fd: int) -> bool:
        """Read the output on a descriptor once; return False at its end."""
        chunk = os.read(fd, _CHUNK_BYTES)
        self._sinks[fd](chunk)
        return bool(chunk)


def _write_stderr(chunk: bytes) -> None:
    sys.stderr.buffer.write(chunk)
    sys.stderr.buffer.flush()


class StderrTail:
    """Passes on the first MiB of output and keeps the last 20 lines.

    Args:
        write: Called with each chunk that is passed on.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._budget_bytes = _PASSED_BYTES
        self._lines: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._open = b""

    def feed(self, chunk: bytes) -> None:
        """Process a chunk of output."""
        self._pass_on(chunk)
        *whole, rest = (self._open + chunk).split(b"\n")
        self._lines.extend(line[:_LONGEST_LINE_BYTES] for line in whole[-_KEPT_LINES:])
        self._open = rest[:_LONGEST_LINE_BYTES]

    def lines(self) -> list[str]:
        """Return the last lines, oldest first, an unfinished one included."""
        kept = [*self._lines, self._open] if self._open else list(self._lines)
        return [line.decode("utf-8", "replace") for line in kept[-_KEPT_LINES:]]

    def _pass_on(self, chunk: bytes) -> None:
        if self._budget_bytes <= 0:
            return
        self._write(chunk[: self._budget_bytes])
        self._budget_bytes -= len(chunk)
        if self._budget_bytes <= 0:
            self._write(b"\n[harness.probe: the rest of the worker's output is not passed on]\n")
