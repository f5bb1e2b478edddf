"""One cell in its container: started, followed to its end or its time limit, and what was seen of it."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal

import docker
from docker.errors import DockerException
from docker.models.containers import Container

from harness.adapters.docker_account import open_account
from harness.model import HOLDABLE, Caps
from harness.outcome import Observation
from harness.protocol import ProgressLine, read_output

_POLL_S = 0.2
_HEARD_EACH_S = 1.0
_KILLED_S = 60.0
_FAILED = 500
_STDERR_LINES = 1000
_PROGRESS_LINES = 20  # the last lines of both streams: among them is the last PROGRESS


def follow(
    client: docker.DockerClient,
    container: Container,
    caps: Caps,
    started: float,
    on_progress: Callable[[ProgressLine], None],
) -> Observation:
    """Start a container, follow it, and return all that was seen of it.

    Args:
        client: Of its engine.
        container: It does not run yet.
        caps: What it may have.
        started: When its time began, by the monotonic clock.
        on_progress: Is told of its last PROGRESS, once a second.
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
    """Kill a container that runs, and wait for its end; one that has ended by itself, or is gone, is fine too.

    An engine waits ten seconds for the end of what it kills, and fails; tens of thousands of processes take longer.
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
    """Whether it still runs.

    Raises:
        DockerException: It is held: it neither runs nor has it ended.
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
        # the backstop of a cell is no cap that was asked for
        holds=tuple(name for name in HOLDABLE if name != "pids" or caps.pids),
        box_evidence=evidence,
    )


def _lines(container: Container, stream: str, *, tail: int | Literal["all"] = "all") -> list[str]:
    raw = container.logs(stdout=stream == "stdout", stderr=stream == "stderr", tail=tail)
    return bytes(raw).decode(errors="replace").splitlines()
