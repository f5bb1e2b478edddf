"""Running the processes that are counted: a few at once, each for so long at most, and none left behind."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to run.

    Args:
        words: The program and its arguments.
        environment: All of it.
        folder: Where it runs.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended.

    Args:
        code: Its exit code, or minus the signal; None when its time was over.
    """

    code: int | None
    stdout: str
    stderr: str


def run_all(commands: Sequence[Command], *, at_once: int, timeout_s: float) -> list[Ended]:
    """Run processes, `at_once` of them at a time, and return how each ended, in the same order.

    However this ends, also with Ctrl-C, the process group of each is gone.

    Args:
        commands: What to run.
        at_once: How many may run at the same time.
        timeout_s: For each of them.
    """
    waiting = iter(enumerate(commands))
    running: list[_Running] = []
    ended: dict[int, Ended] = {}
    try:
        while len(ended) < len(commands):
            for number, command in _some(waiting, at_once - len(running)):
                running.append(_Running(number, command, time.monotonic() + timeout_s))
            over = _wait(running)
            for one in over:
                ended[one.number] = one.end()
                running.remove(one)
    finally:
        for one in running:
            one.kill()
    return [ended[number] for number in range(len(commands))]


def _some(waiting: Iterator[tuple[int, Command]], most: int) -> Iterator[tuple[int, Command]]:
    for _ in range(most):
        following = next(waiting, None)
        if following is None:
            return
        yield following


@dataclass(slots=True)
class _Running:
    """A process that runs; it is over when it has closed its output, or when its time is."""

    number: int
    command: Command
    until_s: float
    process: "subprocess.Popen[bytes]" = field(init=False)
    outputs: dict[int, bytearray] = field(init=False)
    open_fds: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            self.command.words,
            env=dict(self.command.environment),
            cwd=self.command.folder,
            bufsize=0,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # so that all of it can be killed, and an interrupt from the terminal is ours to handle
        )
        streams = (self.process.stdout, self.process.stderr)
        self.outputs = {stream.fileno(): bytearray() for stream in streams if stream is not None}
        self.open_fds = set(self.outputs)

    def read(self, fd: int) -> None:
        """Take what it has printed there."""
        chunk = os.read(fd, _CHUNK_BYTES)
        self.outputs[fd] += chunk
        if not chunk:
            self.open_fds.discard(fd)

    def end(self) -> Ended:
        """Wait for its end, which has come or is now made to come, and return how it was."""
        is_late = bool(self.open_fds)
        code: int | None = None
        if not is_late:
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(max(0.0, self.until_s - time.monotonic()))
        self.kill()
        out, err = (text.decode(errors="replace") for text in self.outputs.values())
        return Ended(code=code, stdout=out, stderr=err)

    def kill(self) -> None:
        """Kill it with all that it has started, and let go of its pipes."""
        with suppress(ProcessLookupError, PermissionError):  # gone, or its number given away
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def _wait(running: Sequence[_Running]) -> list[_Running]:
    """Read what the processes print until one of them is over, or its time is; return those."""
    with selectors.DefaultSelector() as selector:
        for one in running:
            for fd in one.open_fds:
                selector.register(fd, selectors.EVENT_READ, one)
        first_s = min(one.until_s for one in running)
        for key, _ in selector.select(max(0.0, first_s - time.monotonic())):
            key.data.read(key.fd)
    now_s = time.monotonic()
    return [one for one in running if not one.open_fds or one.until_s <= now_s]
