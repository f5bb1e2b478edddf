"""Counted processes: a few at once, each with a time limit, none left behind."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to run.

    Args:
        words: The program and its arguments.
        environment: All of its variables.
        folder: Its working folder.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnd:
    """The end of a process.

    Args:
        code: Its exit code, or minus its signal; None at the time limit.
    """

    code: int | None
    stdout: str
    stderr: str


def run_all(commands: Sequence[Command], *, at_once: int, timeout_s: float) -> list[ProcessEnd]:
    """Run processes and return their ends, in the order of the commands.

    However this ends, also by Ctrl-C, the process group of each is gone.

    Args:
        commands: The processes.
        at_once: The most that run at the same time.
        timeout_s: The time limit of each.
    """
    running = _Running(timeout_s)
    with ThreadPoolExecutor(at_once) as pool:
        try:
            futures = [pool.submit(running.run, command) for command in commands]
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running.kill_all()
            raise


@dataclass(slots=True)
class _Running:
    """The processes that run now, each in a thread of its own.

    Args:
        timeout_s: The time limit of each.
    """

    timeout_s: float
    _processes: set["subprocess.Popen[bytes]"] = field(default_factory=set)
    _is_over: threading.Event = field(default_factory=threading.Event)

    def run(self, command: Command) -> ProcessEnd:
        """Run one process to its end or its time limit."""
        with subprocess.Popen(
            command.words,
            env=dict(command.environment),
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # killed as a whole, and out of reach of the terminal's Ctrl-C
        ) as process:
            self._processes.add(process)
            if self._is_over.is_set():  # the interrupt came before the line above
                _kill(process)
            code: int | None = None
            try:
                out, err = process.communicate(timeout=self.timeout_s)
                code = process.returncode
            except subprocess.TimeoutExpired as expired:
                out, err = expired.stdout or b"", expired.stderr or b""
            finally:
                self._processes.discard(process)
                _kill(process)
        return ProcessEnd(
            code=code, stdout=out.decode(errors="replace"), stderr=err.decode(errors="replace")
        )

    def kill_all(self) -> None:
        """Kill every process, also one that is just being started."""
        self._is_over.set()
        for process in tuple(self._processes):
            _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with everything that it started."""
    with suppress(ProcessLookupError, PermissionError):  # gone, or its number reused
        os.killpg(process.pid, signal.SIGKILL)
