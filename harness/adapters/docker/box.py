"""The Docker box: one fresh capped container a cell, kept until its run is over."""

import time
from collections.abc import Callable

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container

from harness.adapters.docker import cell as cells, engine
from harness.adapters.docker.engine import EngineRetry, translated
from harness.adapters.docker.images import DockerImages
from harness.model.errors import NoBoxError
from harness.model.nouns import Side
from harness.model.runs import BoxInfo
from harness.model.tree import Tree
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine, read_output
from harness.verbs.ports import BaseImage, Build, CellSpec


class DockerBox:
    """Cells in containers of one Docker engine.

    Args:
        say: Called with progress messages.

    Raises:
        NoBoxError: No engine answers.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._client = engine.connect()
        self._say = say
        self._retry = EngineRetry(self._client, say)
        self._images = DockerImages(self._client, say, self._retry)
        self._running: list[Container] = []  # containers that could not be stopped

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    @property
    def lock_name(self) -> str:
        """The lock that two runs share: this machine, or an engine elsewhere."""
        return engine.lock_name(self._client)

    @property
    def api_version(self) -> str:
        """The version of the engine's API in use."""
        return str(self._client.api.api_version)

    def describe(self, base_image: str) -> BoxInfo:
        """Return the engine, and the facts of its host that affect the numbers."""
        return engine.describe(self._client, base_image)

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find or pull the base image of both sides."""
        return self._images.find_base(wanted)

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's image, and whether the image exists."""
        return self._images.locate(tree, base_image)

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find its build, and move the side's tag to it."""
        return self._images.build(tree, base_image=base_image, side=side)

    def find_build(self, image: str) -> Build:
        """Find an existing build."""
        return self._images.find(image)

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; its files stay until `reap`.

        Removing files between cells slows the next cells down: for each new file, ext4 skips every
        inode that was freed in the last five minutes, which more than doubled a cell's CPU.

        An engine that fails in the cell makes the cell invalid; before the cell it is retried.
        """
        self._make_ready()
        container = self._create(build, spec)
        started = time.monotonic()
        try:
            return cells.follow(self._client, container, spec.caps, started, on_progress)
        except (DockerException, requests.RequestException) as error:
            return Observation(
                output=read_output(()),
                exit_code=None,
                wall_s=time.monotonic() - started,
                engine_error=_why(error),
            )
        finally:
            self._stop(container)

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the containers of a run, or of all dead runs."""
        self._retry.wait()
        return engine.reap(self._client, run_id)

    def trim(self) -> list[str]:
        """Remove all but the newest four tree images."""
        self._retry.wait()
        return self._images.trim()

    def _make_ready(self) -> None:
        """Wait for the engine, and stop what still runs of the last cells.

        Raises:
            NoBoxError: The engine does not answer, or a container still runs.
        """
        self._retry.wait()
        left, self._running = self._running, []
        for container in left:
            self._stop(container)
        if self._running:
            msg = f"container {self._running[0].name} still runs, and the next cell would share its CPUs"
            raise NoBoxError(msg, hint="see `docker ps` and the engine's log")

    def _create(self, build: Build, spec: CellSpec) -> Container:
        """Create the container; retry once if the engine stops answering.

        Raises:
            NoBoxError: The image is gone, or the engine does not answer.
        """
        try:
            return cells.create(self._client, build, spec)
        except docker.errors.ImageNotFound as error:
            msg = (
                f"the image {build.image.removeprefix('sha256:')[:12]} is no longer on this engine"
            )
            raise NoBoxError(msg, hint="check whether another program removes images") from error
        except requests.RequestException:
            self._make_ready()
        with translated("creating a container"):
            return cells.create(self._client, build, spec)

    def _stop(self, container: Container) -> None:
        """Stop a cell's container; a failure is retried before the next cell."""
        try:
            with translated("stopping a container"):
                cells.kill(container)
                engine.remove_unstarted(container)
        except NoBoxError as error:
            self._running.append(container)
            self._say(str(error))


def _why(error: Exception) -> str:
    if isinstance(error, docker.errors.NotFound):
        return "its container is gone: somebody removed it"
    return f"the engine failed in the cell: {engine.last_cause(error)}"
