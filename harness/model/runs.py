"""Everything that is settled before the first cell of a run, and a run as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.costs import ExactCosts
from harness.model.gate import GateInfo
from harness.model.nouns import HOLDABLE, Arm, Caps, Drive, Load, Purity, Side
from harness.model.plan import Plan
from harness.model.stored import Natural, Record


class SideInfo(Record, frozen=True, kw_only=True):
    """One side: its build, and how its cells are driven.

    Args:
        commit: Full hash; None outside a repository.
        dirty: Hash of what differs from the commit; None for a clean tree.
        subject, gauge, tree: SHA-256 over the runtime, over the probe and Dockerfile, over all of the context.
    """

    side: Side
    drive: Drive
    commit: str | None
    title: str
    dirty: str | None
    subject: str | None
    gauge: str | None
    tree: str | None
    image: str


class BoxInfo(Record, frozen=True, kw_only=True):
    """Where the cells ran: the engine, and what of its host bears on the numbers.

    Args:
        holds: Which of `HOLDABLE` it holds for certain.
        machine: Tells this engine, or this machine, from its twins; empty in results that are older than schema 5.
    """

    box: str
    engine: str
    cgroup: str
    endpoint: str
    host: str
    host_cpus: Natural
    host_memory_bytes: Natural
    base_image: str
    warnings: tuple[str, ...] = ()
    holds: tuple[str, ...] = HOLDABLE
    machine: str = ""


class RunInfo(Record, frozen=True, kw_only=True):
    """Everything that was settled before the first cell.

    Args:
        sides: The base first; one of a ramp; in a run of kind `goals` the one build, once for each way it is driven.
        goals: The keys of the goals that were asked for, in a run of that kind.
        costs: What was counted before the first cell.
        gate: What is decided by, in a gate.
        resumed: When it was gone on with after an interruption, each time, as UTC stamps.
    """

    run_id: str
    started_at: str
    kind: Literal["compare", "gate", "ramp", "goals"]
    load: Load
    caps: Caps
    plan: Plan
    sides: tuple[SideInfo, ...]
    purity: Purity | None
    how: str
    box: BoxInfo
    goals: tuple[str, ...] = ()
    costs: ExactCosts | None = None
    gate: GateInfo | None = None
    resumed: tuple[str, ...] = ()

    @property
    def has_two_sides(self) -> bool:
        """Whether there is a base to tell the branch from."""
        return self.kind in {"compare", "gate"}

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the sides, the base's first; one where they are the same."""
        return tuple(dict.fromkeys(side.drive.arm for side in self.sides))

    def name_of(self, side: Side) -> str:
        """Return what to call a side: with its arm where the other has another, and of one build alone just that."""
        if not self.has_two_sides:
            return "the build"
        arm = next((info.drive.arm for info in self.sides if info.side is side), None)
        return f"{side} ({arm})" if len(self.arms) > 1 else str(side)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A run as it now stands, for the store.

    Args:
        complete: Whether the plan was run to its end.
        derived: What follows from the cells, as JSON values; `in-short` is its row of the index.
        document: The table, in markdown.
        summary: For a pull request; empty where there is none.
    """

    run: RunInfo
    complete: bool
    derived: Mapping[str, object]
    document: str
    summary: str = ""
