"""The nouns of the bench: what is run, on what, and what came of it."""

from harness.model.cells import Cell, Knee, Result, Slot, Subject
from harness.model.costs import ExactCost, ExactCosts
from harness.model.decision import Floor, GateInfo, Margin
from harness.model.nouns import (
    ARM_SHAPES,
    HOLDABLE,
    OPEN_FILES,
    Arm,
    Caps,
    Load,
    Outcome,
    Phase,
    Purity,
    Side,
)
from harness.model.runs import BoxInfo, Drive, RunInfo, SideInfo

__all__ = [
    "ARM_SHAPES",
    "HOLDABLE",
    "OPEN_FILES",
    "Arm",
    "BoxInfo",
    "Caps",
    "Cell",
    "Drive",
    "ExactCost",
    "ExactCosts",
    "Floor",
    "GateInfo",
    "Knee",
    "Load",
    "Margin",
    "Outcome",
    "Phase",
    "Purity",
    "Result",
    "RunInfo",
    "Side",
    "SideInfo",
    "Slot",
    "Subject",
]
