"""Going on with a ramp, a goal run and a gate, over fakes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from experiments.speed_goals.run import goals
from harness.cli import wiring
from harness.cli.flags import Flags
from harness.model.costs import ExactCosts
from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS
from harness.model.nouns import Arm, Drive
from harness.model.request import GateOptions
from harness.verbs.gate import gate
from harness.verbs.ramp import ramp
from tests.builders.checkout import Checkout
from tests.builders.injected import count_with
from tests.builders.model import make_box_info, make_cell, make_observation, make_run
from tests.builders.world import FakeWorld, make_request, make_world
from tests.fakes.fake_box import Killed, dies_after


def _ramp(fakes: FakeWorld, resume: str | None = None, image: str | None = None) -> None:
    ramp(fakes.world, replace(make_request(500, 1000), resume=resume), image)


def test_resumed_ramp_goes_on_with_its_one_build() -> None:
    """Also when it has to be built again."""
    fakes = make_world(branch=dies_after(1))
    with pytest.raises(Killed):
        _ramp(fakes)
    fakes.box.by_image = {}
    fakes.box.built.clear()
    _ramp(fakes, fakes.store.only.folder)
    assert [cell.slot.level for cell in fakes.store.only.cells] == [500, 1000]


def test_resumed_ramp_of_an_image_that_is_gone_is_refused() -> None:
    """Nobody knows what it was made from."""
    fakes = make_world()
    fakes.box.built.append("esc-bench:mine")
    fakes.box.behave = dies_after(1)
    with pytest.raises(Killed):
        _ramp(fakes, image="esc-bench:mine")
    fakes.box.built.clear()
    with pytest.raises(UsageError, match="the build esc-bench:mine that was measured is gone"):
        _ramp(fakes, fakes.store.only.folder)


def test_resumed_goals_are_those_that_were_asked_for() -> None:
    """Each cell that is there counts, and the repeats are the stored ones."""
    fakes = make_world(branch=dies_after(1))
    with pytest.raises(Killed):
        goals(fakes.world, make_request(), only="hand, C=8,000", repeats=2)
    fakes.box.by_image = {}
    request = replace(make_request(), resume=fakes.store.only.folder)
    shown = goals(fakes.world, request, only="", repeats=9)
    assert len(fakes.store.only.cells) == 2
    assert "2 repeats" in shown


def test_resumed_goals_are_driven_as_they_were() -> None:
    """A goal whose drive has changed cannot be resumed."""
    fakes = make_world(branch=dies_after(1))
    with pytest.raises(Killed):
        goals(fakes.world, make_request(), only="hand, C=8,000", repeats=2)
    fakes.box.by_image = {}
    stored = fakes.store.only
    other = Drive(arm=Arm.HAND, environment={"SCALE_PROCS": "7"})
    sides = tuple(structs.replace(side, drive=other) for side in stored.run.sides)
    stored.run = structs.replace(stored.run, sides=sides)
    with pytest.raises(UsageError, match="the goals have changed since this run started"):
        goals(fakes.world, replace(make_request(), resume=stored.folder), only="", repeats=2)


OPTIONS = GateOptions(margins=DEFAULT_MARGINS, pairs=2, quick_level=500, is_quick=True)


def test_resumed_gate_decides_by_what_was_settled() -> None:
    """Costs are not counted again, and margins and pairs are the stored ones."""
    fakes = make_world(branch=dies_after(2))
    with pytest.raises(Killed):
        gate(fakes.world, make_request(500, 1000), OPTIONS, count_with(lambda _: 100.0))
    settled = fakes.store.only.run
    fakes.box.by_image = {}

    def never(*_: object) -> ExactCosts:
        raise AssertionError

    request = replace(make_request(500, 1000), resume=fakes.store.only.folder)
    run = gate(fakes.world, request, replace(OPTIONS, is_strict=True), never).comparison.run
    assert (run.costs, run.gate, run.plan.pairs) == (settled.costs, settled.gate, 2)
    assert fakes.store.only.complete


def test_resume_looks_for_the_kind_of_box_that_was_stored(
    git_checkout: Callable[..., Checkout], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored kind of box is opened; the folder may be named alone."""
    monkeypatch.setenv("CPUS", "1")
    root = git_checkout().root
    run = make_run(box=make_box_info(box="watchdog"))
    writer = wiring.open_store(root).open_run(run, "x")
    writer.add_cell(make_cell(), make_observation())
    name = Path(writer.folder).name
    typed = {"repo": str(root / "src"), "resume": name}
    request = wiring.make_request(Flags(typed=typed))
    assert (request.box, request.resume) == ("watchdog", name)
