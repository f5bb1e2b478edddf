"""A run that is killed at each operation on its files, and resumed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from harness.adapters.results.files import ResultFiles, is_half
from harness.adapters.results.store import FilesStore
from harness.model.errors import DisturbedError
from harness.model.gate import DEFAULT_MARGINS
from harness.model.request import GateOptions
from harness.report.document import render
from harness.verbs.compare import compare
from harness.verbs.gate import gate
from harness.verbs.housekeeping import show_run
from harness.verbs.ports import World
from harness.verbs.run import derive
from tests.builders.world import make_request, make_world
from tests.fakes.fake_box import Killed, holds_up_to
from tests.fakes.fake_clock import StoppedClock
from tests.fakes.fake_disk import FailingDisk, FullDisk, KillingDisk, dead_run_id

MOST = 400  # operations: a run that needs more does not end


def _world(root: Path, disk: FailingDisk | None = None) -> World:
    """Make a world on real files, in which the base breaks at 1,000."""
    fakes = make_world(base=holds_up_to(500, cpu_ms_per_turn=2.0))
    files = ResultFiles(root, disk, dead_run_id) if disk else None
    return replace(fakes.world, store=FilesStore(root, files), utc_stamp=StoppedClock().utc_stamp)


def _compare(root: Path, disk: FailingDisk | None = None, resume: str | None = None) -> None:
    request = replace(make_request(1000, blocks=0), resume=resume)
    compare(_world(root, disk), request)


def _gate(root: Path, disk: FailingDisk | None = None, resume: str | None = None) -> None:
    options = GateOptions(margins=DEFAULT_MARGINS, pairs=1, quick_level=500, is_quick=True)
    request = replace(make_request(500, 1000), resume=resume)
    gate(_world(root, disk), request, options, None)


def _folder(root: Path) -> Path | None:
    """Return the folder of the one run; None before there is one."""
    found = (
        [p for p in root.iterdir() if p.is_dir() and not is_half(p.name)] if root.exists() else []
    )
    assert len(found) < 2
    return found[0] if found else None


def _state(root: Path) -> tuple[str, bytes, dict[str, bytes]]:
    """Return the table, but for when the run was resumed, the cells and the logs."""
    folder = _folder(root)
    assert folder is not None
    run, cells, complete = FilesStore(root).load(str(folder))
    table = render(derive(structs.replace(run, resumed=()), cells, complete=complete))
    logs = {path.name: path.read_bytes() for path in (folder / "logs").iterdir()}
    return table, (folder / "cells.jsonl").read_bytes(), logs


@pytest.mark.parametrize(("run", "torn"), [(_compare, False), (_compare, True), (_gate, True)])
def test_run_killed_at_any_operation_resumes_to_the_same_results(
    tmp_path: Path, run: Callable[..., None], *, torn: bool
) -> None:
    """Wherever it dies, it can be read and resumed, to the same bytes."""
    run(tmp_path / "undisturbed")
    wanted = _state(tmp_path / "undisturbed")
    for at in range(1, MOST):
        root = tmp_path / f"{at}"
        try:
            run(root, KillingDisk(at, torn=torn))
        except Killed:
            _resume(root, run)
            assert _state(root) == wanted, f"killed at operation {at}"
            assert not [path for path in root.rglob("*") if is_half(path.name)]
        else:
            break
    assert 30 < at < MOST - 1, "every operation was tried"


def _resume(root: Path, run: Callable[..., None]) -> None:
    folder = _folder(root)
    if folder is None:  # nothing was measured: there is nothing to go on with
        run(root)
        return
    store = FilesStore(root)
    show_run(store, str(folder), {})
    _, _, is_complete = store.load(str(folder))
    if is_complete:  # it died in the index, after its last word
        store.prune()  # as the next run does, or `invoke clean`
    else:
        run(root, None, folder.name)


@pytest.mark.parametrize("torn", [False, True])
def test_full_disk_ends_a_run_as_disturbed_and_leaves_it_whole(
    tmp_path: Path, *, torn: bool
) -> None:
    """Exit 5 wherever the disk is full; whole files stay, and it can be resumed."""
    _compare(tmp_path / "undisturbed")
    wanted = _state(tmp_path / "undisturbed")
    for at in range(1, MOST):
        root = tmp_path / f"{at}"
        told = _disturbance(root, FullDisk(at, torn=torn))
        if told is None:
            break
        assert told.exit_code == 5
        assert "cannot be written to" in told.what
        assert "No space left on device" in told.what
        _check_whole(root)
        _resume(root, _compare)
        assert _state(root) == wanted, f"full at operation {at}"
    assert 30 < at < MOST - 1, "every operation was tried"


def _disturbance(root: Path, disk: FailingDisk) -> DisturbedError | None:
    try:
        _compare(root, disk)
    except DisturbedError as error:
        return error
    return None


def _check_whole(root: Path) -> None:
    folder = _folder(root)
    assert not [path for path in root.rglob("*") if is_half(path.name)] if root.exists() else True
    if folder is not None:
        data = (folder / "cells.jsonl").read_bytes()
        assert data == b"" or data.endswith(b"\n")
