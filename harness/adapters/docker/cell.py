"""One cell in its container: created, followed to its end or time limit, observed."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

import docker
from docker.errors import DockerException
from docker.models.containers import Container
from docker.types import LogConfig, Mount, Ulimit

from harness.adapters.docker.account import open_account
from harness.adapters.docker.engine import RUN_LABEL
from harness.adapters.host.cgroups import backstop_pids
from harness.model.nouns import HOLDABLE, OPEN_FILES, Caps
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine, read_output
from harness.verbs.ports import Build, CellSpec

_POLL_S = 0.2
_HEARD_EACH_S = 1.0
_KILLED_S = 60.0
_FAILED = 500
_STDERR_LINES = 1000
_PROGRESS_LINES = 20  # the last lines, among them the last PROGRESS
SCRATCH = "/scratch"
"""The only folder that a cell may write to: a volume that goes with its container."""

_NOBODY = "65534:65534"
_LOG_BYTES = "32m"
_SHARED_MEMORY_BYTES = 8 << 20  # semaphores of several processes are a page each


def follow(
    client: docker.DockerClient,
    container: Container,
    caps: Caps,
    started: float,
    on_progress: Callable[[ProgressLine], None],
) -> Observation:
    """Start a container, follow it to its end, and return the observation.

    Args:
        started: The start of its time limit, by the monotonic clock.
        on_progress: Called with the last PROGRESS, once a second.
    """
    container.start()
    account = open_account(container, client.api)
    deadline = started + caps.timeout_s
    heard_at = started
    timed_out = False
    while _runs(container):
        now = time.monotonic()
        account.look()
        if now >= deadline:
            timed_out = True
            kill(container)
            break
        if now - heard_at >= _HEARD_EACH_S:
            heard_at = now
            latest = read_output(_lines(container, "stdout", tail=_PROGRESS_LINES)).progress
            if latest:
                on_progress(latest[-1])
        time.sleep(_POLL_S)
    wall_s = time.monotonic() - started
    return _observe(container, caps, wall_s, account.evidence(), timed_out=timed_out)


def kill(container: Container) -> None:
    """Kill a container, if it runs, and wait for its end.

    An engine gives up after ten seconds, but the end of tens of thousands of processes takes longer.
    """
    try:
        container.kill()
    except docker.errors.APIError as error:
        if error.status_code in {404, 409}:
            return
        if error.status_code != _FAILED:
            raise
    with suppress(docker.errors.NotFound):
        container.wait(timeout=_KILLED_S)


def _runs(container: Container) -> bool:
    """Return whether the container still runs.

    Raises:
        DockerException: It is paused.
    """
    container.reload()
    if container.status == "paused":
        msg = "somebody paused its container"
        raise DockerException(msg)
    return container.status in {"running", "created", "restarting"}


def _observe(
    container: Container,
    caps: Caps,
    wall_s: float,
    evidence: Mapping[str, object],
    *,
    timed_out: bool,
) -> Observation:
    container.reload()
    state = container.attrs["State"]
    stdout = _lines(container, "stdout")
    return Observation(
        output=read_output(stdout),
        exit_code=state.get("ExitCode"),
        wall_s=wall_s,
        oom_killed=bool(state.get("OOMKilled")),
        timed_out=timed_out,
        stderr=tuple(_lines(container, "stderr")[-_STDERR_LINES:]),
        stdout="\n".join(stdout),
        # the default limit of processes is no cap of the request
        holds=tuple(name for name in HOLDABLE if name != "pids" or caps.pids),
        box_evidence=evidence,
    )


def _lines(container: Container, stream: str, *, tail: int | Literal["all"] = "all") -> list[str]:
    raw = container.logs(stdout=stream == "stdout", stderr=stream == "stderr", tail=tail)
    return bytes(raw).decode(errors="replace").splitlines()


def create(client: docker.DockerClient, build: Build, spec: CellSpec) -> Container:
    """Create the container of a cell, without starting it."""
    environment = {"HOME": SCRATCH, "TMPDIR": SCRATCH, **spec.environment}
    return client.containers.create(
        build.image,
        [spec.arm, str(spec.level), *spec.load.arguments],
        environment=environment,
        labels={RUN_LABEL: spec.run_id},
        log_config=LogConfig(
            type="json-file", config={"max-size": _LOG_BYTES, "max-file": "1", "compress": "false"}
        ),
        **_capped(spec.caps),
        **_closed(spec.run_id),
    )


def _capped(caps: Caps) -> dict[str, Any]:
    """Return the caps as options of a container."""
    return {
        "nano_cpus": round(caps.cpus * 1_000_000_000),
        "mem_limit": caps.memory_bytes,
        "memswap_limit": caps.memory_bytes,
        "pids_limit": caps.pids or backstop_pids(),
        "ulimits": [
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "shm_size": _SHARED_MEMORY_BYTES,
    }


def _closed(run_id: str) -> dict[str, Any]:
    """Return the options that close the container, whatever its image declares.

    The root is read-only, and temporary files go to scratch. The anonymous volume goes with its
    container; its label finds it if another program removed the container alone.
    """
    return {
        "user": _NOBODY,
        "read_only": True,
        "mounts": [Mount(target=SCRATCH, source=None, type="volume", labels={RUN_LABEL: run_id})],
        "network_mode": "none",
        "ipc_mode": "private",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "privileged": False,
        "init": False,
        "healthcheck": {"test": ["NONE"]},
    }
