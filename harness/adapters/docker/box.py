"""The Docker box: one fresh capped container a cell, followed to its end, and kept until its run is over."""

import time
from collections.abc import Callable

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container

from harness.adapters.docker import (
    cell as docker_cell,
    cell as docker_container,
    engine as docker_engine,
)
from harness.adapters.docker.engine import SMALL_S, Return, translated
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
        say: Is told what takes long.

    Raises:
        NoBoxError: No engine answers.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._client = docker_engine.connect(SMALL_S)
        self._say = say
        self._return = Return(self._client, say)
        self._images = DockerImages(self._client, say, self._return)
        self._running: list[Container] = []  # what could not be stopped

    def close(self) -> None:
        """Close the connections to the engine."""
        self._client.close()

    @property
    def lock_name(self) -> str:
        """What two runs share: this machine, or an engine elsewhere."""
        return docker_engine.lock_name(self._client)

    @property
    def api_version(self) -> str:
        """The version of the engine's interface that is spoken."""
        return str(self._client.api.api_version)

    def describe(self, base_image: str) -> BoxInfo:
        """Say what it is and what of its host bears on the numbers."""
        return docker_engine.describe(self._client, base_image)

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find, or pull, what both sides are built on."""
        return self._images.find_base(wanted)

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag that a tree's image has or would have, and whether it is there."""
        return self._images.locate(tree, base_image)

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find it already built, and give it the side's moving tag."""
        return self._images.build(tree, base_image=base_image, side=side)

    def find_build(self, image: str) -> Build:
        """Find a build that is there already."""
        return self._images.find(image)

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; what it wrote stays until `reap` at the end of the run.

        A file system looks twice at what was deleted a moment ago: ext4 passes by every inode that was freed in the last five
        minutes, one by one, for each new file. The files of one cell would more than double the CPU of the next one.

        An engine that fails in the cell makes it invalid; one that fails before it is waited for.
        """
        self._make_ready()
        container = self._create(build, spec)
        started = time.monotonic()
        try:
            return docker_cell.follow(self._client, container, spec.caps, started, on_progress)
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
        """Remove the containers of a run, or those of runs that are no longer alive."""
        self._return.wait()
        return docker_engine.reap(self._client, run_id)

    def trim(self) -> list[str]:
        """Remove all but the newest four tree images."""
        self._return.wait()
        return self._images.trim()

    def _make_ready(self) -> None:
        """Wait for an engine that is away, and stop what it could not stop: nothing of a cell may run beside the next one."""
        self._return.wait()
        left, self._running = self._running, []
        for container in left:
            self._stop(container)
        if self._running:
            msg = f"container {self._running[0].name} still runs, and the next cell would share its CPUs"
            raise NoBoxError(msg, hint="see what `docker ps` and the engine's log say of it")

    def _create(self, build: Build, spec: CellSpec) -> Container:
        """Make the container; an engine that goes away over it is waited for, once."""
        try:
            return docker_container.create(self._client, build, spec)
        except docker.errors.ImageNotFound as error:
            msg = f"the image {build.image.removeprefix('sha256:')[:12]} is not on this engine any more"
            raise NoBoxError(msg, hint="is something else removing images?") from error
        except requests.RequestException:
            self._make_ready()
        with translated("making a container"):
            return docker_container.create(self._client, build, spec)

    def _stop(self, container: Container) -> None:
        """See that a cell's container no longer runs; if that fails the cell still counts, and is seen to before the next one."""
        try:
            with translated("stopping a container"):
                docker_cell.kill(container)
                docker_engine.remove_unstarted(container)
        except NoBoxError as error:
            self._running.append(container)
            self._say(str(error))


def _why(error: Exception) -> str:
    if isinstance(error, docker.errors.NotFound):
        return "its container is gone: somebody removed it"
    return f"the engine failed in the cell: {docker_engine.last_cause(error)}"
