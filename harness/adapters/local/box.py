"""Boxes without an engine: each cell is kept by a process of its own, which holds its caps as this machine allows."""

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.adapters.host.isolation import find_confinement
from harness.adapters.host.lock import THIS_MACHINE
from harness.adapters.host.owner import machine_name, own_run_id
from harness.adapters.local import read_only as closing
from harness.adapters.local.builds import LocalBuilds, environment_of
from harness.adapters.local.cell import KeptCell
from harness.adapters.local.enforcement import MARK, Holding, cell_name, end_what_is_left
from harness.adapters.local.launcher import Errand
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
    """Cells of this machine.

    Args:
        holding: How their caps are held.
        say: Is told what takes long.
        store: Where builds are and cells write; by default that of this user.

    Raises:
        NoBoxError: There is no place for them, or nothing can be held in this way.
    """

    def __init__(
        self, holding: Holding, say: Callable[[str], None], store: LocalStore | None = None
    ) -> None:
        self._holding = holding
        self._store = store or LocalStore()
        self._own_id = own_run_id()
        self._builds = LocalBuilds(self._store, self._own_id, say)
        self._confined = find_confinement(self._store.builds, fixed_addresses=False)
        self._closes_files = False
        try:
            self._closes_files = self._can_close_files()
        except (
            BaseException
        ):  # also Ctrl-C: what was made for trying is nobody's to remove but ours
            self.reap(self._own_id)
            raise

    @property
    def lock_name(self) -> str:
        """What two runs share: this machine."""
        return THIS_MACHINE

    def close(self) -> None:
        """Remove what was made for trying and building."""
        self.reap(self._own_id)

    def describe(self, base_image: str) -> BoxInfo:
        """Say what it is and what of its host bears on the numbers."""
        return BoxInfo(
            box=self._holding.box,
            engine=self._holding.engine,
            cgroup=self._holding.cgroup,
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
        """Find the Python that both sides stand on."""
        return self._builds.find_base(wanted)

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag that a tree's build has or would have, and whether it is there."""
        return self._builds.locate(tree, base_image)

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find it already built, and give it the side's moving tag."""
        return self._builds.build(tree, base_image=base_image, side=side)

    def find_build(self, image: str) -> Build:
        """Find a build that is there already."""
        return self._builds.find(image)

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """Run one cell to its end or its time limit; what it wrote stays until `reap` at the end of the run."""
        folder = self._builds.folder_of(build.image)
        if folder is None:
            msg = f"the build {build.image.removeprefix('sha256:')[:12]} is not on this machine any more"
            raise NoBoxError(msg, hint="is something else removing builds?")
        os.utime(folder)  # so that it is among the last used
        place = self._store.make_cell(spec.run_id, self._confined.uid)
        words = (
            *(*self._words(place), str(folder / "env/bin/python"), "-m", "harness.probe"),
            *(spec.arm, str(spec.level), *spec.load.arguments),
        )
        environment = {
            **environment_of(folder, place / "scratch"),
            **spec.environment,
            MARK: spec.run_id,
        }
        errand = self._errand(
            place, spec.run_id, spec.caps, (words, environment, folder / "bench")
        )
        # a limit of the host's own is no cap that was asked for
        holds = tuple(name for name in self._holds if name != "pids" or spec.caps.pids)
        with KeptCell(self._holding, errand) as kept:
            return kept.follow(spec.caps.timeout_s, on_progress, holds)

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove what the cells of a run left, or those of runs that are no longer alive."""
        removed = []
        for run in self._store.runs_of(run_id):
            try:
                end_what_is_left(run, self._store.cells_of(run))
            except (OSError, TimeoutError) as error:
                msg = f"what is left of {run} cannot be ended: {error}"
                raise NoBoxError(msg, hint="end it by hand, then `invoke clean`") from error
            removed.append(self._store.remove_run(run))
        return removed

    def trim(self) -> list[str]:
        """Remove all but the newest four builds."""
        return self._builds.trim()

    @property
    def _holds(self) -> tuple[str, ...]:
        return (*self._holding.holds, *(("network",) if self._confined.has_no_network else ()))

    def _doubts(self) -> tuple[str, ...]:
        network = f"The cells are not cut off from the network: {self._confined.how}."
        files = "The cells can write wherever the user that they run as can."
        return (
            *self._holding.doubts,
            *(() if self._confined.has_no_network else (network,)),
            *(() if self._closes_files else (files,)),
        )

    def _errand(
        self,
        place: Path,
        run_id: str,
        caps: Caps,
        what: tuple[Sequence[str], Mapping[str, str], Path],
    ) -> Errand:
        words, environment, folder = what
        return Errand(
            kind=self._holding.errand,
            name=cell_name(run_id, place.name),
            words=words,
            environment=environment,
            folder=str(folder),
            report=str(place / "report.json"),
            cpus=caps.cpus,
            memory_bytes=caps.memory_bytes,
            pids=caps.pids,
            open_files=OPEN_FILES,
        )

    def _words(self, place: Path) -> Sequence[str]:
        """Return what holds a cell: its scratch is all that it can write to, where that can be had."""
        if self._closes_files:
            return self._confined.with_closed_files(Path(closing.__file__), place / "scratch")
        return self._confined.words

    def _can_close_files(self) -> bool:
        """Find out whether cells can be kept with their files closed, else at least without.

        Raises:
            NoBoxError: They cannot be kept at all.
        """
        self._closes_files = True
        try:
            self._try()
        except NoBoxError:
            self._closes_files = False
            self._try()
        return self._closes_files

    def _try(self) -> None:
        """Keep a cell that does nothing.

        Raises:
            NoBoxError: It does not come to a good end.
        """
        place = self._store.make_cell(self._own_id, self._confined.uid)
        words = (*self._words(place), sys.executable, "-I", "-S", "-c", "")
        errand = self._errand(place, self._own_id, _TRIAL, (words, {}, place))
        with KeptCell(self._holding, errand) as kept:
            seen = kept.follow(_TRIAL.timeout_s, lambda _: None, ())
        if seen.exit_code != 0:
            said = seen.engine_error or (
                seen.stderr[-1] if seen.stderr else f"exit code {seen.exit_code}"
            )
            msg = f"no cell can be kept with {self._holding.engine.removeprefix('no engine: ')}, cgroup {self._holding.cgroup}: {said}"
            raise NoBoxError(msg)


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()
