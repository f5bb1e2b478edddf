"""The settings of a run before its first cell, and its report for the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.model.costs import ExactCosts
from harness.model.gate import GateInfo
from harness.model.nouns import HOLDABLE, Arm, Caps, Drive, Load, Purity, Side
from harness.model.plan import Plan
from harness.model.stored import Natural, Record


class SideInfo(Record, frozen=True, kw_only=True):
    """One side: its build, and the drive of its cells.

    Args:
        commit: Full hash; None outside a repository.
        dirty: Hash of the uncommitted changes; None for a clean tree.
        subject, gauge, tree: SHA-256 of the runtime, of probe and Dockerfile, and of the whole context.
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
    """The box of a run, with the facts about its host that affect the numbers.

    Args:
        holds: The members of `HOLDABLE` that it enforces.
        machine: Unique id of the engine or the machine; empty before schema 5.
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
    """The settings of a run, fixed before its first cell.

    Args:
        sides: The base first; one for a ramp; for `goals` the one build, once per drive.
        how: How the base was chosen.
        goals: Keys of the requested goals, for `goals`.
        gate: None unless the run is a gate.
        resumed: UTC stamps of each resumption.
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
        """True if the run has a base and a branch."""
        return self.kind in {"compare", "gate"}

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The distinct arms of the sides, that of the base first."""
        return tuple(dict.fromkeys(side.drive.arm for side in self.sides))

    def name_of(self, side: Side) -> str:
        """Return the name of a side for people, with its arm if the arms differ."""
        if not self.has_two_sides:
            return "the build"
        arm = next((info.drive.arm for info in self.sides if info.side is side), None)
        return f"{side} ({arm})" if len(self.arms) > 1 else str(side)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The current state of a run, for the store.

    Args:
        complete: True if the plan ran to its end.
        derived: Values derived from the cells, as JSON; `in-short` is the row of the index.
        document: The report in markdown.
        summary: For a pull request; empty unless the run is a gate.
    """

    run: RunInfo
    complete: bool
    derived: Mapping[str, object]
    document: str
    summary: str = ""
