"""A private Docker engine to kill, stop, pause and fill."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments.faults.namespaces import CGROUP, run

_READY_S = 60
_LABEL = "esc-bench.run"


class Engine:
    """A dockerd with its own disk, socket and containerd, for use in namespaces.

    Args:
        folder: For the image of its disk.
        name: Unique among the engines.
        size_mb: Size of its disk.
    """

    def __init__(self, folder: Path, name: str, *, size_mb: int = 6000) -> None:
        self._image = folder / f"{name}.img"
        self._data = folder / f"{name}.data"
        self._log = folder / f"{name}.log"
        self._run = Path("/run") / name
        self._size_mb = size_mb
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """The value of DOCKER_HOST."""
        return f"unix://{self._run}/docker.sock"

    @contextmanager
    def running(self, base_image: Path) -> Iterator["Engine"]:
        """Run the engine with a base image within the block; then remove its disk."""
        self._data.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as file:
            file.truncate(self._size_mb << 20)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(self._image))
        run("mount", "-o", "loop", str(self._image), str(self._data))
        try:
            self.start()
            self.docker("load", "--input", str(base_image))
            yield self
        finally:
            self.stop()
            run("umount", "--recursive", "--lazy", str(self._data))
            self._image.unlink()
            self._data.rmdir()

    def start(self) -> None:
        """Start the engine, and wait until it answers."""
        self._run.mkdir(parents=True, exist_ok=True)
        pid_file = self._run / "docker.pid"
        pid_file.unlink(missing_ok=True)  # of a killed engine
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("dockerd", "--host", self.host, "--pidfile", str(pid_file)),
                    *("--data-root", str(self._data), "--exec-root", str(self._run / "exec")),
                    *("--bridge=none", "--iptables=false", "--ip-masq=false"),
                    *("--exec-opt", "native.cgroupdriver=cgroupfs"),
                    f"--cgroup-parent=/{CGROUP}",
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_S
        while not self.answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                message = f"the private engine does not start: see {self._log}"
                raise AssertionError(message)
            time.sleep(0.1)

    def answers(self) -> bool:
        """Return whether the engine answers."""
        return self._docker("version").returncode == 0

    def restore(self) -> None:
        """Make the engine answer again after any fault."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        self.unpause()
        self.empty()

    def kill(self) -> None:
        """Kill the engine like a crash; its containers continue."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Pause the engine, like a host without memory."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        """Continue a paused engine."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop the engine, its containerd, and containers of a killed engine."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in _processes_below(str(self._run)):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self._run, ignore_errors=True)

    def docker(self, *words: str) -> str:
        """Run a docker command that must succeed, and return its output."""
        done = self._docker(*words)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def try_docker(self, *words: str) -> bool:
        """Run a docker command that may fail; return whether it succeeded."""
        return self._docker(*words).returncode == 0

    def cells(self) -> list[str]:
        """Return the ids of the running cells' containers, newest first."""
        return self.docker(
            "ps", "--no-trunc", "--quiet", "--filter", f"label={_LABEL}"
        ).splitlines()

    @contextmanager
    def events(self, kind: str) -> Iterator[Iterator[str]]:
        """Yield ids of cells' containers at an event: `create`, `start` or `die`."""
        words = ("docker", "events", "--format", "{{json .}}", "--filter", f"event={kind}")
        with subprocess.Popen(
            [*words, "--filter", "type=container", "--filter", f"label={_LABEL}"],
            env={**os.environ, "DOCKER_HOST": self.host},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as listener:
            try:
                yield (json.loads(line)["id"] for line in listener.stdout or ())
            finally:
                listener.kill()

    def fill(self, leave_kb: int) -> None:
        """Fill the disk with a file."""
        space = os.statvfs(self._data)
        size = space.f_bavail * space.f_frsize - (leave_kb << 10)
        run("fallocate", "--length", str(size), str(self._data / "filling"))

    def empty(self) -> None:
        """Remove the file that fills the disk."""
        (self._data / "filling").unlink(missing_ok=True)

    def _docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *words],
            env={**os.environ, "DOCKER_HOST": self.host},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _processes_below(folder: str) -> list[int]:
    """Return the processes with a folder in their command: containerd and its shims."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in {1, os.getpid()}:
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has gone
            if f"{folder}/" in command:
                found.append(int(entry.name))
    return found
