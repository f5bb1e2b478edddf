"""One build of an image: bounded in time and memory, and nothing left of one that fails."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from harness.adapters.docker.engine import last_cause, patience, translated, why_silent
from harness.model.errors import BuildError, NoBoxError
from harness.model.nouns import Side
from harness.model.tree import Tree
from harness.model.units import show_seconds

_MOST_S = 900
_SILENT_S = 120
_MEMORY_BYTES = 1 << 30  # of a step: so much also bounds how many processes it can have
_CPU_SHARES = 512  # half of what anybody else has
_LAYER = re.compile(r"^ ---> ([0-9a-f]{12})\s*$", re.MULTILINE)
_STEP = re.compile(r"^ ---> Running in ([0-9a-f]{12})\s*$", re.MULTILINE)
_FULL = "no space left on device"
_SHOWN = 15
_LINE = 500
_BY_HAND = "build it by hand to see more: docker build --build-arg BASE=IMAGE ."


class EngineGoneError(Exception):
    """The engine went away in the build, which says nothing of what was built."""


class ImageBuild:
    """One build.

    Args:
        client: The engine's.
        side: Whose it is.
        most_s: How long it may take.
        silent_s: How long it may say nothing.
    """

    def __init__(
        self,
        client: docker.DockerClient,
        side: Side,
        *,
        most_s: float = _MOST_S,
        silent_s: int = _SILENT_S,
    ) -> None:
        self._client = client
        self._side = side
        self._most_s, self._silent_s = most_s, silent_s
        self._log: list[str] = []
        self._layers: set[str] = set()
        self._steps: set[str] = set()
        self._before: set[str] = (
            set()
        )  # what was there: a step may print anything, also the id of another container

    def run(self, tree: Tree, *, tag: str, base: str, labels: dict[str, str]) -> None:
        """Build a tree on a base, without a network.

        Raises:
            BuildError: It does not build; the error ends with the last lines of the log.
            EngineGoneError: The engine went away. What is left is to be cleared when it is back.
        """
        broke: Exception | None = None
        failed: str | None = None
        self._before = self._ids()
        try:
            failed = self._follow(tree, tag, base, labels)
        except APIError as error:
            failed = last_cause(error)
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError) as error:
            broke = error
        except KeyboardInterrupt:  # nobody will know what it was that was made
            with suppress(NoBoxError):
                self.clear()
            raise
        if broke is not None:
            failed = self._silence(broke)
        if failed is not None:
            self.clear()
            raise self._error(failed)

    def clear(self) -> None:
        """Remove the containers and the layers that a build leaves when it fails; what another build stands on stays.

        Raises:
            NoBoxError: The engine does not answer.
        """
        with translated("removing what a build left"):
            for container in self._steps - self._before:
                with suppress(APIError):  # it is gone already, as it should be
                    self._client.api.remove_container(container, force=True, v=True)
            for image in self._client.images.list(filters={"dangling": True}):
                if _short(image.id) in self._layers - self._before:
                    with suppress(APIError):  # somebody's container holds it
                        self._client.images.remove(str(image.id))

    def _ids(self) -> set[str]:
        """Return the short ids of all containers and all dangling images that there are."""
        with translated("looking at what is there before a build"):
            containers = self._client.api.containers(all=True, quiet=True)
            images = self._client.images.list(filters={"dangling": True})
        return {_short(each["Id"]) for each in containers} | {_short(each.id) for each in images}

    def _follow(self, tree: Tree, tag: str, base: str, labels: dict[str, str]) -> str | None:
        """Read the build's output; return its error, if it has one."""
        deadline = time.monotonic() + self._most_s
        with patience(self._client, self._silent_s), _answers(self._client):
            stream = self._client.api.build(
                fileobj=BytesIO(tree.pack()),
                custom_context=True,
                tag=tag,
                decode=True,
                timeout=self._silent_s,
                rm=True,
                forcerm=True,
                pull=False,
                network_mode="none",
                buildargs={"BASE": base},
                labels=labels,
                container_limits={
                    "memory": _MEMORY_BYTES,
                    "memswap": _MEMORY_BYTES,
                    "cpushares": _CPU_SHARES,
                },
            )
            with closing(stream):
                for message in stream:
                    self._take(str(message.get("stream") or message.get("error") or ""))
                    if "error" in message:
                        return str(message["error"])
                    if time.monotonic() > deadline:
                        return f"it is not done after {show_seconds(self._most_s)}"
        return None

    def _take(self, text: str) -> None:
        self._layers.update(_LAYER.findall(text))
        self._steps.update(_STEP.findall(text))
        self._log += [line[:_LINE] for line in text.splitlines() if line.strip()]
        del self._log[:-_SHOWN]

    def _silence(self, error: Exception) -> str:
        """Tell a build that says nothing from an engine that is gone.

        Raises:
            EngineGoneError: It is the engine.
        """
        timed_out = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
        away = why_silent(self._client)
        if away or not isinstance(error, timed_out):
            raise EngineGoneError(away or last_cause(error)) from error
        return f"it has said nothing for {show_seconds(self._silent_s)}"

    def _error(self, failed: str) -> BuildError:
        first = next(iter(failed.strip().splitlines()), "no reason given")
        if any(_FULL in text.lower() for text in (failed, *self._log)):
            msg = f"the {self._side} does not build: the engine's disk is full: {first}"
            return BuildError(
                msg, hint="make room: see `docker system df`", tail=self._log[-_SHOWN:]
            )
        msg = f"the {self._side} does not build: {first}"
        return BuildError(msg, hint=_BY_HAND, tail=self._log[-_SHOWN:])


def _short(name: object) -> str:
    return str(name).removeprefix("sha256:")[:12]


@contextmanager
def _answers(client: docker.DockerClient) -> Iterator[None]:
    """Close every answer that came meanwhile: the engine ends a build when nobody listens to it, and the SDK gives no hold of its stream."""
    answers: list[requests.Response] = []

    def note(answer: requests.Response, *_: object, **__: object) -> None:
        answers.append(answer)

    hooks = client.api.hooks["response"]
    hooks.append(note)
    try:
        yield
    finally:
        hooks.remove(note)
        for answer in answers:
            answer.close()
