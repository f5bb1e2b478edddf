"""How long an engine is waited for: one that is silent, and one that is gone and may come back."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import requests
from docker.errors import DockerException

from harness.adapters.docker_engine import last_cause
from harness.errors import NoBoxError

SMALL_S = 30
"""How long a call may be silent that an engine answers at once, unless its host is busy."""

_PING_S = 5
_AGAIN_S = 0.5
_RETURN_S = 60.0


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
