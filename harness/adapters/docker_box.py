"""The Docker box: one fresh capped container a cell, followed to its end, and kept until its run is over."""

import time
from collections.abc import Callable
from typing import Literal

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container
from docker.types import LogConfig, Ulimit

from harness.adapters import docker_engine
from harness.adapters.docker_engine import RUN_LABEL, translated
from harness.adapters.docker_images import DockerImages
from harness.errors import NoBoxError
from harness.model import OPEN_FILES, BoxInfo, Side
from harness.outcome import Observation
from harness.ports import BaseImage, Build, CellOrder
from harness.protocol import ProgressLine, read_output
from harness.tree import Tree

_POLL_S = 0.2
_HEARD_EACH_S = 1.0
_LOG_BYTES = "32m"
_STDERR_LINES = 1000
_PROGRESS_LINES = 20  # the last lines of both streams: among them is the last PROGRESS


class DockerBox:
    """Cells in containers of one Docker engine.

    Args:
        say: Is told what takes long.

    Raises:
        NoBoxError: No engine answers.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._client = docker_engine.connect()
        self._say = say
        self._images = DockerImages(self._client, say)

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
        self, build: Build, order: CellOrder, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; what it wrote stays until `reap` at the end of the run.

        A file system looks twice at what was deleted a moment ago: ext4 passes by every inode that was freed in the last five
        minutes, one by one, for each new file. The files of one cell would more than double the CPU of the next one.
        """
        with translated("making a container"):
            container = self._create(build, order)
        started = time.monotonic()
        try:
            return self._follow(container, order, started, on_progress)
        except (DockerException, requests.RequestException) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            return Observation(
                output=read_output(()),
                exit_code=None,
                wall_s=time.monotonic() - started,
                engine_error=f"the engine failed in the cell: {said[0]}",
            )
        finally:
            self._stop(container)

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the containers of a run, or those of runs that are no longer alive."""
        return docker_engine.reap(self._client, run_id)

    def trim(self) -> list[str]:
        """Remove all but the newest four tree images."""
        return self._images.trim()

    def _stop(self, container: Container) -> None:
        """See that a cell's container no longer runs; if that fails the cell still counts, and `reap` tries again after the run."""
        try:
            with translated("stopping a container"):
                _kill(container)
        except NoBoxError as error:
            self._say(str(error))

    def _create(self, build: Build, order: CellOrder) -> Container:
        caps = order.caps
        return self._client.containers.create(
            build.image,
            [order.arm, str(order.level), *order.load.arguments],
            environment=dict(order.environment),
            labels={RUN_LABEL: order.run_id},
            nano_cpus=round(caps.cpus * 1_000_000_000),
            mem_limit=caps.memory_bytes,
            memswap_limit=caps.memory_bytes,
            pids_limit=caps.pids,
            ulimits=[Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES)],
            network_mode="none",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type="json-file", config={"max-size": _LOG_BYTES}),
        )

    def _follow(
        self,
        container: Container,
        order: CellOrder,
        started: float,
        on_progress: Callable[[ProgressLine], None],
    ) -> Observation:
        container.start()
        deadline = started + order.caps.timeout_s
        heard_at = started
        timed_out = False
        while True:
            container.reload()
            now = time.monotonic()
            if container.status not in {"running", "created", "restarting"}:
                break
            if now >= deadline:
                timed_out = True
                _kill(container)
                break
            if now - heard_at >= _HEARD_EACH_S:
                heard_at = now
                latest = read_output(_lines(container, "stdout", tail=_PROGRESS_LINES)).progress
                if latest:
                    on_progress(latest[-1])
            time.sleep(_POLL_S)
        return _observe(container, time.monotonic() - started, timed_out=timed_out)


def _observe(container: Container, wall_s: float, *, timed_out: bool) -> Observation:
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
    )


def _kill(container: Container) -> None:
    """Kill a container that runs, and wait for its end; one that has ended by itself, or is gone, is fine too."""
    try:
        container.kill()
        container.wait(timeout=60)
    except docker.errors.APIError as error:
        if error.status_code not in {404, 409}:
            raise


def _lines(container: Container, stream: str, *, tail: int | Literal["all"] = "all") -> list[str]:
    raw = container.logs(stdout=stream == "stdout", stderr=stream == "stderr", tail=tail)
    return bytes(raw).decode(errors="replace").splitlines()
