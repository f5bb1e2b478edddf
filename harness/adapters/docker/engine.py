"""The connection to a Docker engine: description, retry, errors, removal."""

import hashlib
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import requests
from docker.context import Context
from docker.errors import DockerException
from docker.models.containers import Container
from docker.utils import kwargs_from_env

from harness.adapters.host.lock import THIS_MACHINE
from harness.adapters.host.owner import is_alive
from harness.model.errors import NoBoxError
from harness.model.nouns import HOLDABLE
from harness.model.runs import BoxInfo

RUN_LABEL = "esc-bench.run"
CALL_S = 30
"""The read timeout of a quick call, long enough for an engine on a busy host."""

_REMOVAL_S, _POLL_S = 900.0, 1.0
_PING_S, _RETRY_EACH_S, _RETRY_S = 5, 0.5, 60.0
_NO_SWAP = "the engine does not account swap: a cell may swap beyond its memory cap"


def connect() -> docker.DockerClient:
    """Connect to the engine that the environment names.

    Raises:
        NoBoxError: No engine answers there.
    """
    endpoint = find_endpoint()
    try:
        tls = kwargs_from_env().get("tls", False)  # DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
        client = docker.DockerClient(base_url=endpoint, timeout=CALL_S, tls=tls)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        msg = f"no Docker engine answers at {endpoint}: {last_cause(error)}"
        hint = "start one (for example `sudo systemctl start docker`), or point DOCKER_HOST at one"
        raise NoBoxError(msg, hint=hint) from error
    return client


def find_endpoint() -> str:
    """Return the engine's address: DOCKER_HOST, else that of the current context.

    Raises:
        NoBoxError: The named context does not exist; the SDK would silently use another engine.
    """
    if os.environ.get("DOCKER_HOST"):
        return os.environ["DOCKER_HOST"]
    wanted = os.environ.get("DOCKER_CONTEXT")
    context: Context | None = docker.ContextAPI.get_context(wanted)
    if context is None:
        msg = f"there is no Docker context {wanted!r}"
        raise NoBoxError(msg, hint="see `docker context ls`, or unset DOCKER_CONTEXT")
    return str(context.endpoints["docker"]["Host"])


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate the engine's errors.

    Raises:
        NoBoxError: The engine refused, or does not answer.
    """
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        msg = f"the Docker engine failed while {doing}: {last_cause(error)}"
        raise NoBoxError(msg, hint="see that it runs: `docker info`") from error


def describe(client: docker.DockerClient, base_image: str) -> BoxInfo:
    """Return the engine, and the facts of its host that affect the numbers."""
    with translated("describing itself"):
        info = client.info()
    warnings = [text for text in info.get("Warnings") or [] if "swap" in text.lower()]
    caps_swap = not warnings and info.get("SwapLimit") is not False
    return BoxInfo(
        box="docker",
        engine=f"Docker {info['ServerVersion']} ({info['Driver']})",
        cgroup=f"v{info.get('CgroupVersion', '1')}",
        endpoint=find_endpoint(),
        host=f"{info['OperatingSystem']}, Linux {info['KernelVersion']}, {platform.machine()}",
        host_cpus=int(info["NCPU"]),
        host_memory_bytes=int(info["MemTotal"]),
        base_image=base_image,
        warnings=() if caps_swap else (_NO_SWAP,),
        holds=tuple(name for name in HOLDABLE if name != "swap" or caps_swap),
        machine=_short_hash(str(info.get("ID", ""))),
    )


def lock_name(client: docker.DockerClient) -> str:
    """Return the lock of all that runs on the engine's CPUs.

    An engine behind a socket of this machine shares the lock of this machine.
    """
    if find_endpoint().startswith(("unix://", "npipe://")):
        return THIS_MACHINE
    with translated("reporting its id"):
        engine = str(client.info()["ID"])
    return f"engine-{_short_hash(engine)}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reap(client: docker.DockerClient, run_id: str | None) -> list[str]:
    """Remove the containers and volumes of a run, or of all dead runs; return names."""
    label = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"
    removed = []
    with translated("looking for leftover containers"):
        for container in client.containers.list(
            all=True, filters={"label": label}, ignore_removed=True
        ):
            if run_id is not None or not is_alive(container.labels.get(RUN_LABEL, "")):
                remove(container)
                removed.append(f"container {container.name}")
        for volume in client.volumes.list(filters={"label": label, "dangling": True}):
            labels = volume.attrs.get("Labels") or {}
            if run_id is not None or not is_alive(labels.get(RUN_LABEL, "")):
                volume.remove()
                removed.append(f"volume {volume.name}")
    return removed


def remove_unstarted(container: Container) -> None:
    """Remove a container that never ran."""
    try:
        container.reload()
    except docker.errors.NotFound:
        return
    if container.status == "created":
        remove(container)


def remove(container: Container) -> None:
    """Remove a container and its anonymous volumes, running, stopped or gone.

    A volume of hundreds of thousands of files takes minutes, in which the engine is silent.
    """
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    except requests.ReadTimeout:
        _wait_until_gone(container)


def _wait_until_gone(container: Container) -> None:
    deadline = time.monotonic() + _REMOVAL_S
    while time.monotonic() < deadline:
        try:
            container.reload()
        except docker.errors.NotFound:
            return
        time.sleep(_POLL_S)
    msg = f"container {container.name} is not gone after {_REMOVAL_S:g} s"
    raise NoBoxError(msg, hint="see `docker ps -a` and the engine's log")


def last_cause(error: BaseException) -> str:
    """Return the root cause of an error in one line; the engine's words, if any."""
    while not isinstance(error, docker.errors.APIError):
        deeper = error.__cause__ or error.__context__
        if isinstance(deeper, ValueError):  # from the parser of the answer
            return "its answer broke off"
        if deeper is None:
            return _first_line(str(error)) or type(error).__name__
        error = deeper
    return _first_line(str(error.explanation or error))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


@contextmanager
def read_timeout(client: docker.DockerClient, seconds: int) -> Iterator[None]:
    """Set the read timeout of the client's calls."""
    before = client.api.timeout
    client.api.timeout = seconds
    try:
        yield
    finally:
        client.api.timeout = before


def why_silent(client: docker.DockerClient) -> str:
    """Return why an engine does not answer; empty if it does."""
    try:
        with read_timeout(client, _PING_S):
            client.ping()
    except (DockerException, requests.RequestException) as error:
        return last_cause(error)
    return ""


@dataclass(slots=True)
class EngineRetry:
    """Waits for an engine that does not answer, a minute at most, and only once.

    Args:
        say: Called with progress messages.
        now_s: A monotonic clock.
    """

    client: docker.DockerClient
    say: Callable[[str], None]
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _has_given_up: bool = False

    def wait(self) -> None:
        """Return when the engine answers.

        Raises:
            NoBoxError: It does not answer in time.
        """
        within_s = 0.0 if self._has_given_up else _RETRY_S
        deadline = self.now_s() + within_s
        why = why_silent(self.client)
        if why and within_s:
            self.say(f"the engine does not answer ({why}): retrying for {within_s:g} s at most")
        while why:
            if self.now_s() >= deadline:
                self._has_given_up = True
                msg = f"the Docker engine has not come back within {_RETRY_S:g} s: {why}"
                raise NoBoxError(msg, hint="see that it runs: `docker info`")
            self.sleep(_RETRY_EACH_S)
            why = why_silent(self.client)
        self._has_given_up = False
