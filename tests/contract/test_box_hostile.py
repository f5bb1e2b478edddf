"""The limits of a hostile cell in each real box."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from harness.adapters.host.owner import own_run_id
from harness.model.nouns import Caps, Load, Side
from harness.outcome.observation import Observation
from harness.verbs.ports import Build, CellSpec
from tests.hosts.box_sides import BoxSide
from tests.hosts.docker_side import make_box_tree
from tests.subjects.hostile_probe import HOSTILE

RUN_ID = own_run_id()
CAPS = Caps(cpus=1.0, memory_bytes=256 << 20, pids=64, timeout_s=90.0)


@pytest.fixture(scope="module")
def build(real_side: BoxSide) -> Build:
    """Build the tree whose probe tries to get out."""
    base_image = real_side.box.find_base_image("")
    tree = make_box_tree("hostile", probe=HOSTILE)
    return real_side.box.build(tree, base_image=base_image, side=Side.BRANCH)


@pytest.fixture(autouse=True)
def _removed(real_side: BoxSide) -> Iterator[None]:
    """Remove what a test's cells wrote."""
    yield
    real_side.box.reap(RUN_ID)


def _run(side: BoxSide, build: Build, arm: str, caps: Caps = CAPS) -> Observation:
    spec = CellSpec(run_id=RUN_ID, arm=arm, level=5, load=Load(turns=1), caps=caps, environment={})
    return side.box.run_cell(build, spec, lambda _: None)


def _evidence(seen: Observation) -> dict[str, Any]:
    assert seen.output.worker_exit is not None, (seen.engine_error, seen.stderr)
    return dict(seen.output.worker_exit.evidence)


def test_cell_does_not_get_out_of_its_box(real_side: BoxSide, build: Build) -> None:
    """Network, files, devices, other processes and the engine are out of reach."""
    found = _evidence(_run(real_side, build, "attempts"))
    assert set(found["done"]) <= set(real_side.open_ways), found["refused"]


def test_fork_bomb_ends_at_the_number_that_was_asked_for(real_side: BoxSide, build: Build) -> None:
    """No more are born than the cap allows, and all of them end with the cell."""
    if real_side.kind == "watchdog":
        assert "pids" not in real_side.box.describe("").holds
        return
    seen = _run(real_side, build, "forks")
    found = _evidence(seen)
    assert found["said"] == "Resource temporarily unavailable"
    assert 50 <= found["made"] < 64
    assert 50 <= int(str(seen.box_evidence.get("pids-peak", 64))) <= 64


def test_cell_that_prints_a_gigabyte_is_bounded(real_side: BoxSide, build: Build) -> None:
    """The RESULT at its end is found, and what is kept is no more than a box keeps."""
    caps = structs.replace(CAPS, cpus=float(os.cpu_count() or 1))
    seen = _run(real_side, build, "gigabyte", caps)
    assert seen.output.result is not None
    assert len(seen.stdout) <= 33 << 20
