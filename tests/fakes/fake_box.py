"""A box without an engine: it remembers builds, and scripts end its cells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.model.errors import BuildError, UsageError
from harness.model.nouns import Outcome, Side
from harness.model.runs import BoxInfo
from harness.model.tree import Tree
from harness.outcome.observation import Observation
from harness.outcome.protocol import ProbeOutput, ProgressLine, WorkerExit
from harness.verbs.ports import BaseImage, Build, CellSpec
from tests.builders.model import make_box_info, make_observation, make_result

Behaviour = Callable[[str, CellSpec], Observation]
_KEPT = 4


def holds_up_to(limit: int, **measured: object) -> Behaviour:
    """Return a build that holds `limit` sessions and runs out of memory above."""

    def behave(_image: str, spec: CellSpec) -> Observation:
        if spec.level <= limit:
            return make_observation(make_result(spec.level, arm=spec.arm, **measured))
        seen = ProgressLine(t_ms=9000.0, done=3, peak_threads=2 * spec.level, peak_rss_mb=1999.0)
        output = ProbeOutput(
            progress=(seen,), worker_exit=WorkerExit(cause="oom", exit_code=137, signal=9)
        )
        return make_observation(output=output, exit_code=137, wall_s=9.0, oom_killed=True)

    return behave


def fails_with(outcome: Outcome, *, at: int = 0) -> Behaviour:
    """Return a build whose cells from level `at` on crash, are invalid, or stall."""
    endings = {
        Outcome.CRASH: make_observation(exit_code=1, stderr=("Traceback", "ImportError: no pump")),
        Outcome.INVALID: make_observation(exit_code=None, engine_error="the engine fell over"),
        Outcome.TIMEOUT_STALLED: make_observation(exit_code=137, timed_out=True, wall_s=600.0),
    }
    holds = holds_up_to(at - 1)
    return lambda image, spec: holds(image, spec) if spec.level < at else endings[outcome]


class Killed(BaseException):
    """The run is killed here."""


def dies_after(cells: int, ending: Behaviour | None = None) -> Behaviour:
    """Return a build that is killed after some of its cells; checks do not count."""
    left = iter([True] * cells)
    ending = ending or holds_up_to(1_000_000)

    def behave(image: str, spec: CellSpec) -> Observation:
        if spec.level > 1 and not next(left, False):
            raise Killed
        return ending(image, spec)

    return behave


@dataclass(slots=True)
class FakeBox:
    """Cells that end as their scripts do.

    Args:
        behave: Ends a cell of a build.
        by_image: Scripts of single builds, used before `behave`.
        unbuildable: The sides that do not build.

    Attributes:
        specs: The cells that were run, in order: (image, spec).
        built: The tags of all trees that were built, the oldest first.
        containers: The ids of runs that left a container.
        reaped: The run id of each reap; None for a reap of all dead runs.
    """

    behave: Behaviour = field(default_factory=lambda: holds_up_to(1_000_000))
    by_image: Mapping[str, Behaviour] = field(default_factory=dict)
    unbuildable: tuple[Side, ...] = ()
    containers: list[str] = field(default_factory=list)
    specs: list[tuple[str, CellSpec]] = field(default_factory=list)
    built: list[str] = field(default_factory=list)
    reaped: list[str | None] = field(default_factory=list)

    @property
    def lock_name(self) -> str:
        """The name of a lock that no test holds."""
        return "fake"

    def close(self) -> None:
        """Do nothing."""

    def describe(self, base_image: str) -> BoxInfo:
        """Return the description of the fake."""
        return make_box_info(base_image=base_image)

    def find_base_image(self, wanted: str) -> BaseImage:
        """Find a base image; names that begin with `no-such` are missing."""
        if wanted.startswith("no-such"):
            msg = f"the base image {wanted} is missing and cannot be pulled"
            raise BuildError(msg)
        return BaseImage(id="sha256:base", name=wanted or "fake-base:1")

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Remember a tree as built."""
        if side in self.unbuildable or not tree.holds("Dockerfile"):
            msg = f"the {side} does not build: no such instruction"
            raise BuildError(msg, tail=["Step 1/2 : FORM base", "no such instruction: FORM"])
        tag, is_there = self.locate(tree, base_image=base_image)
        if not is_there:
            self.built.append(tag)
        how = f"{tag} {'found' if is_there else 'built'}"
        return Build(image=self.image_of(tree, base_image.id), how=how)

    def locate(self, tree: Tree, *, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree, and whether it was built."""
        tag = f"esc-bench:tree-{tree.hash_on(base_image.id)[:12]}"
        return tag, tag in self.built

    def find_build(self, image: str) -> Build:
        """Find a build by its tag, or by its id."""
        known = {tag.removeprefix("esc-bench:tree-"): tag for tag in self.built}
        if image.removeprefix("sha256:")[:12] in known and image.startswith("sha256:"):
            return Build(image=image, how=known[image.removeprefix("sha256:")[:12]])
        if image not in self.built:
            msg = f"there is no image {image!r} on this engine"
            raise UsageError(msg)
        return Build(image=f"sha256:{image}", how=image)

    def run_cell(
        self, build: Build, spec: CellSpec, on_progress: Callable[[ProgressLine], None]
    ) -> Observation:
        """End a cell as its script does."""
        self.specs.append((build.image, spec))
        seen = self.by_image.get(build.image, self.behave)(build.image, spec)
        for line in seen.output.progress:
            on_progress(line)
        return seen

    def reap(self, run_id: str | None = None) -> list[str]:
        """Remove the containers of a run, or of runs with `dead` in their id."""
        self.reaped.append(run_id)
        gone = [run for run in self.containers if run == run_id or (not run_id and "dead" in run)]
        self.containers = [run for run in self.containers if run not in gone]
        return [f"container of {run}" for run in gone]

    def trim(self) -> list[str]:
        """Keep the newest four trees."""
        removed = self.built[:-_KEPT]
        self.built = self.built[-_KEPT:]
        return [f"image {tag}" for tag in removed]

    @staticmethod
    def image_of(tree: Tree, base_image: str = "sha256:base") -> str:
        """Return the id of a tree's image."""
        return f"sha256:{tree.hash_on(base_image)}"

    @property
    def levels_run(self) -> list[tuple[str, int]]:
        """The cells that were run, as (image, level)."""
        return [(image, spec.level) for image, spec in self.specs]
