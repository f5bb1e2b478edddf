"""The connection to a Docker engine: reaching it, describing it, and turning its errors into ours."""

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
_REMOVAL_S = 900.0
_LOOK_S = 1.0
_NO_SWAP = "the engine does not account swap: a cell may swap beyond its memory cap"
SMALL_S = 30
"""How long a call may be silent that an engine answers at once, unless its host is busy."""

_PING_S = 5
_AGAIN_S = 0.5
_RETURN_S = 60.0


def connect(silent_s: int = 30) -> docker.DockerClient:
    """Connect to the engine that the environment names.

    Args:
        silent_s: For how long a call may go without a byte of the engine's.

    Raises:
        NoBoxError: None answers there.
    """
    endpoint = find_endpoint()
    try:
        tls = kwargs_from_env().get("tls", False)  # DOCKER_TLS_VERIFY and DOCKER_CERT_PATH
        client = docker.DockerClient(base_url=endpoint, timeout=silent_s, tls=tls)
        client.ping()
    except (DockerException, requests.RequestException) as error:
        msg = f"no Docker engine answers at {endpoint}: {last_cause(error)}"
        hint = "start one (for example `sudo systemctl start docker`), or point DOCKER_HOST at one"
        raise NoBoxError(msg, hint=hint) from error
    return client


def find_endpoint() -> str:
    """Return where the engine is: DOCKER_HOST, else the endpoint of the current context.

    Raises:
        NoBoxError: The context that is named does not exist; the SDK would silently take another engine.
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
    """Turn the engine's errors into ours.

    Raises:
        NoBoxError: The engine refused, or is gone.
    """
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        msg = f"the Docker engine failed while {doing}: {last_cause(error)}"
        raise NoBoxError(msg, hint="see that it runs: `docker info`") from error


def describe(client: docker.DockerClient, base_image: str) -> BoxInfo:
    """Say what the engine is and what of its host bears on the numbers."""
    with translated("describing itself"):
        info = client.info()
    told = [text for text in info.get("Warnings") or [] if "swap" in text.lower()]
    has_swap_held = not told and info.get("SwapLimit") is not False
    return BoxInfo(
        box="docker",
        engine=f"Docker {info['ServerVersion']} ({info['Driver']})",
        cgroup=f"v{info.get('CgroupVersion', '1')}",
        endpoint=find_endpoint(),
        host=f"{info['OperatingSystem']}, Linux {info['KernelVersion']}, {platform.machine()}",
        host_cpus=int(info["NCPU"]),
        host_memory_bytes=int(info["MemTotal"]),
        base_image=base_image,
        warnings=() if has_swap_held else (_NO_SWAP,),
        holds=tuple(name for name in HOLDABLE if name != "swap" or has_swap_held),
        machine=_short_hash(str(info.get("ID", ""))),
    )


def lock_name(client: docker.DockerClient) -> str:
    """Return the name of the lock for whatever runs on the same CPUs: an engine behind a socket of this machine is this machine."""
    if find_endpoint().startswith(("unix://", "npipe://")):
        return THIS_MACHINE
    with translated("saying which one it is"):
        engine = str(client.info()["ID"])
    return f"engine-{_short_hash(engine)}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reap(client: docker.DockerClient, run_id: str | None) -> list[str]:
    """Remove what a run left, or all runs whose owner is no longer alive: containers, and volumes without one; return their names."""
    label = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"
    removed = []
    with translated("looking for containers that were left"):
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
    """Remove a container that was made and never ran: there is nothing in it to be kept."""
    try:
        container.reload()
    except docker.errors.NotFound:
        return
    if container.status == "created":
        remove(container)


def remove(container: Container) -> None:
    """Remove a container with its anonymous volumes, whether it runs or is gone already.

    A volume of hundreds of thousands of files takes minutes: an engine that is silent for that long is still at it.
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
        time.sleep(_LOOK_S)
    msg = f"container {container.name} is not gone after {_REMOVAL_S:g} s"
    raise NoBoxError(msg, hint="see what `docker ps -a` and the engine's log say of it")


def last_cause(error: BaseException) -> str:
    """Return in one line what an error goes back to: what the engine said, else what stopped us from hearing it."""
    while not isinstance(error, docker.errors.APIError):
        deeper = error.__cause__ or error.__context__
        if isinstance(deeper, ValueError):  # of whoever read the answer
            return "its answer broke off"
        if deeper is None:
            return _first_line(str(error)) or type(error).__name__
        error = deeper
    return _first_line(str(error.explanation or error))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


@contextmanager
def patience(client: docker.DockerClient, silent_s: int) -> Iterator[None]:
    """Have each call wait that long for the engine's next byte."""
    before = client.api.timeout
    client.api.timeout = silent_s
    try:
        yield
    finally:
        client.api.timeout = before


def why_silent(client: docker.DockerClient) -> str:
    """Return why an engine does not answer; empty when it does."""
    try:
        with patience(client, _PING_S):
            client.ping()
    except (DockerException, requests.RequestException) as error:
        return last_cause(error)
    return ""


@dataclass(slots=True)
class Return:
    """Waiting for an engine to come back, which is done once: one that did not come back is asked, and not waited for again.

    Args:
        client: Its client.
        say: Is told that it is waited for.
        now_s: A monotonic clock.
        sleep: Lets time go by.
    """

    client: docker.DockerClient
    say: Callable[[str], None]
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _was_given_up: bool = False

    def wait(self) -> None:
        """Return when the engine answers.

        Raises:
            NoBoxError: It does not, for a minute.
        """
        within_s = 0.0 if self._was_given_up else _RETURN_S
        deadline = self.now_s() + within_s
        why = why_silent(self.client)
        if why and within_s:
            self.say(
                f"the engine does not answer ({why}): it is waited for, {within_s:g} s at most"
            )
        while why:
            if self.now_s() >= deadline:
                self._was_given_up = True
                msg = f"the Docker engine has not come back within {_RETURN_S:g} s: {why}"
                raise NoBoxError(msg, hint="see that it runs: `docker info`")
            self.sleep(_AGAIN_S)
            why = why_silent(self.client)
        self._was_given_up = False
