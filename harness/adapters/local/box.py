"""The box without an engine: a launcher process enforces the caps of each cell."""

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.adapters.host.isolation import find_confinement
from harness.adapters.host.lock import THIS_MACHINE
from harness.adapters.host.owner import machine_name, own_run_id
from harness.adapters.local import read_only
from harness.adapters.local.builds import LocalBuilds, environment_of
from harness.adapters.local.cell import LaunchedCell
from harness.adapters.local.enforcement import RUN_ENV, Enforcement, cell_name, end_leftovers
from harness.adapters.local.launcher import LaunchSpec
from harness.adapters.local.store import LocalStore
from harness.model.errors import NoBoxError
from harness.model.nouns import OPEN_FILES, Caps, Side
from harness.model.runs import BoxInfo
from harness.model.tree import Tree
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProgressLine
from harness.verbs.ports import BaseImage, Build, CellSpec

_TRIAL = Caps(cpus=0.5, memory_bytes=64 << 20, pids=32, timeout_s=20.0)


class LocalBox:
    """A box that runs its cells as processes of this machine.

    Args:
        enforcement: How the caps are enforced.
        say: Called with progress messages.
        store: The folder of builds and cells; by default that of this user.

    Raises:
        NoBoxError: The folder cannot be made, or this enforcement does not work here.
    """

    def __init__(
        self, enforcement: Enforcement, say: Callable[[str], None], store: LocalStore | None = None
    ) -> None:
        self._enforcement = enforcement
        self._store = store or LocalStore()
        self._own_id = own_run_id()
        self._builds = LocalBuilds(self._store, self._own_id, say)
        self._confined = find_confinement(self._store.builds, fixed_addresses=False)
        self._closes_files = False
        try:
            self._closes_files = self._can_close_files()
        except BaseException:  # also Ctrl-C: no other run removes the trial cell
            self.reap(self._own_id)
            raise

    @property
    def lock_name(self) -> str:
        """The lock that two runs share: this machine."""
        return THIS_MACHINE

    def close(self) -> None:
        """Remove the trial cells and half-made builds."""
        self.reap(self._own_id)

    def describe(self, base_image: str) -> BoxInfo:
        """Return the box, and the facts of its host that affect the numbers."""
        return BoxInfo(
            box=self._enforcement.box,
            engine=self._enforcement.engine,
            cgroup=self._enforcement.cgroup,
            endpoint="this machine",
            host=f"{_system_name()}, {platform.system()} {platform.release()}, {platform.machine()}",
            host_cpus=os.cpu_count() or 1,
            host_memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            base_image=base_image,
            holds=self._holds,
            warnings=self._doubts(),
            machine=machine_name(),
        )

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find the Python of both sides."""
        return self._builds.find_base(wanted)

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's build, and whether the build exists."""
        return self._builds.locate(tree, base_image)

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find its build, and move the side's tag to it."""
        return self._builds.build(tree, base_image=base_image, side=side)

    def find_build(self, image: str) -> Build:
        """Find an existing build."""
        return self._builds.find(image)

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; its files stay until `reap`."""
        folder = self._builds.folder_of(build.image)
        if folder is None:
            msg = f"the build {build.image.removeprefix('sha256:')[:12]} is no longer on this machine"
            raise NoBoxError(msg, hint="check whether another program removes builds")
        os.utime(folder)  # `trim` keeps the builds used last
        place = self._store.make_cell(spec.run_id, self._confined.uid)
        words = (
            *(*self._words(place), str(folder / "env/bin/python"), "-m", "harness.probe"),
            *(spec.arm, str(spec.level), *spec.load.arguments),
        )
        environment = {
            **environment_of(folder, place / "scratch"),
            **spec.environment,
            RUN_ENV: spec.run_id,
        }
        launch = self._make_launch_spec(
            place, spec.run_id, spec.caps, words, environment, folder / "bench"
        )
        # the host's own limit is no cap of the request
        holds = tuple(name for name in self._holds if name != "pids" or spec.caps.pids)
        with LaunchedCell(self._enforcement, launch) as launched:
            return launched.follow(spec.caps.timeout_s, on_progress, holds)

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the leftovers of a run, or of all dead runs."""
        removed = []
        for run in self._store.runs_of(run_id):
            try:
                end_leftovers(run, self._store.cells_of(run))
            except (OSError, TimeoutError) as error:
                msg = f"the leftover cells of {run} cannot be killed: {error}"
                raise NoBoxError(msg, hint="kill them by hand, then run `invoke clean`") from error
            removed.append(self._store.remove_run(run))
        return removed

    def trim(self) -> list[str]:
        """Remove all but the newest four builds."""
        return self._builds.trim()

    @property
    def _holds(self) -> tuple[str, ...]:
        return (*self._enforcement.holds, *(("network",) if self._confined.has_no_network else ()))

    def _doubts(self) -> tuple[str, ...]:
        network = f"The cells are not cut off from the network: {self._confined.how}."
        files = "The cells can write wherever the user that they run as can."
        return (
            *self._enforcement.doubts,
            *(() if self._confined.has_no_network else (network,)),
            *(() if self._closes_files else (files,)),
        )

    def _make_launch_spec(
        self,
        place: Path,
        run_id: str,
        caps: Caps,
        words: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> LaunchSpec:
        return LaunchSpec(
            kind=self._enforcement.kind,
            name=cell_name(run_id, place.name),
            words=words,
            environment=environment,
            folder=str(folder),
            report=str(place / "report.json"),
            caps=caps,
            open_files=OPEN_FILES,
        )

    def _words(self, place: Path) -> Sequence[str]:
        """Return the command prefix that confines a cell."""
        if self._closes_files:
            return self._confined.with_closed_files(Path(read_only.__file__), place / "scratch")
        return self._confined.words

    def _can_close_files(self) -> bool:
        """Return whether cells run with a read-only file system.

        Raises:
            NoBoxError: Cells do not run at all.
        """
        self._closes_files = True
        try:
            self._try()
        except NoBoxError:
            self._closes_files = False
            self._try()
        return self._closes_files

    def _try(self) -> None:
        """Run a cell that does nothing.

        Raises:
            NoBoxError: It does not exit with 0.
        """
        place = self._store.make_cell(self._own_id, self._confined.uid)
        words = (*self._words(place), sys.executable, "-I", "-S", "-c", "")
        spec = self._make_launch_spec(place, self._own_id, _TRIAL, words, {}, place)
        with LaunchedCell(self._enforcement, spec) as launched:
            seen = launched.follow(_TRIAL.timeout_s, lambda _: None, ())
        if seen.exit_code != 0:
            said = seen.engine_error or (
                seen.stderr[-1] if seen.stderr else f"exit code {seen.exit_code}"
            )
            msg = f"no cell runs with {self._enforcement.engine.removeprefix('no engine: ')}, cgroup {self._enforcement.cgroup}: {said}"
            raise NoBoxError(msg)


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()
