"""One build of an image: bounded in time and memory, without leftovers if it fails."""

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from io import BytesIO

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from harness.adapters.docker.engine import last_cause, read_timeout, translated, why_silent
from harness.model.errors import BuildError, NoBoxError
from harness.model.nouns import Side
from harness.model.tree import Tree
from harness.model.units import show_seconds

_MOST_S = 900
_SILENT_S = 120
_MEMORY_BYTES = 1 << 30  # of a step, which also bounds its processes
_CPU_SHARES = 512  # half of the default
_LAYER = re.compile(r"^ ---> ([0-9a-f]{12})\s*$", re.MULTILINE)
_STEP = re.compile(r"^ ---> Running in ([0-9a-f]{12})\s*$", re.MULTILINE)
_FULL = "no space left on device"
_SHOWN = 15
_LINE = 500
_BY_HAND = "build it by hand to see more: docker build --build-arg BASE=IMAGE ."


class EngineGoneError(Exception):
    """The engine stopped answering during a build."""


class ImageBuild:
    """One build.

    Args:
        most_s: Time limit of the build.
        silent_s: Time limit of a silence.
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
        # a step may print the id of a container that is not its own
        self._before: set[str] = set()

    def run(self, tree: Tree, *, tag: str, base: str, labels: dict[str, str]) -> None:
        """Build a tree on a base, without a network.

        Raises:
            BuildError: It does not build; the error holds the last lines of the log.
            EngineGoneError: The engine stopped answering; call `clear` when it is back.
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
        except KeyboardInterrupt:  # the next run could not find the leftovers
            with suppress(NoBoxError):
                self.clear()
            raise
        if broke is not None:
            failed = self._silence(broke)
        if failed is not None:
            self.clear()
            raise self._error(failed)

    def clear(self) -> None:
        """Remove containers and layers of a failed build, but no layer of another one.

        Raises:
            NoBoxError: The engine does not answer.
        """
        with translated("removing leftovers of a build"):
            for container in self._steps - self._before:
                with suppress(APIError):  # it is gone already
                    self._client.api.remove_container(container, force=True, v=True)
            for image in self._client.images.list(filters={"dangling": True}):
                if _short(image.id) in self._layers - self._before:
                    with suppress(APIError):  # a container uses it
                        self._client.images.remove(str(image.id))

    def _ids(self) -> set[str]:
        """Return the short ids of all containers and all dangling images."""
        with translated("listing containers before a build"):
            containers = self._client.api.containers(all=True, quiet=True)
            images = self._client.images.list(filters={"dangling": True})
        return {_short(each["Id"]) for each in containers} | {_short(each.id) for each in images}

    def _follow(self, tree: Tree, tag: str, base: str, labels: dict[str, str]) -> str | None:
        """Follow the build's output; return its error, or None."""
        deadline = time.monotonic() + self._most_s
        with read_timeout(self._client, self._silent_s), _answers(self._client):
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
                        return f"it did not end within {show_seconds(self._most_s)}"
        return None

    def _take(self, text: str) -> None:
        self._layers.update(_LAYER.findall(text))
        self._steps.update(_STEP.findall(text))
        self._log += [line[:_LINE] for line in text.splitlines() if line.strip()]
        del self._log[:-_SHOWN]

    def _silence(self, error: Exception) -> str:
        """Return the error of a silent build.

        Raises:
            EngineGoneError: The engine itself is silent.
        """
        timed_out = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
        away = why_silent(self._client)
        if away or not isinstance(error, timed_out):
            raise EngineGoneError(away or last_cause(error)) from error
        return f"it printed nothing for {show_seconds(self._silent_s)}"

    def _error(self, failed: str) -> BuildError:
        first = next(iter(failed.strip().splitlines()), "no reason given")
        if any(_FULL in text.lower() for text in (failed, *self._log)):
            msg = f"the {self._side} does not build: the engine's disk is full: {first}"
            return BuildError(
                msg, hint="free disk space: see `docker system df`", tail=self._log[-_SHOWN:]
            )
        msg = f"the {self._side} does not build: {first}"
        return BuildError(msg, hint=_BY_HAND, tail=self._log[-_SHOWN:])


def _short(name: object) -> str:
    return str(name).removeprefix("sha256:")[:12]


@contextmanager
def _answers(client: docker.DockerClient) -> Iterator[None]:
    """Close every response of the block, so that the engine ends an abandoned build.

    The SDK offers no other access to the stream of a build.
    """
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
