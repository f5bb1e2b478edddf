"""Each kind of box, with what a contract test has to know of it beside its port."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.adapters.docker import engine as docker_engine
from harness.adapters.docker.box import DockerBox
from harness.adapters.docker.engine import RUN_LABEL
from harness.adapters.local.box import LocalBox
from harness.adapters.local.cell import LaunchedCell
from harness.adapters.local.enforcement import (
    RUN_ENV,
    Enforcement,
    find_enforcements,
    watchdog_enforcement,
)
from harness.adapters.local.store import LocalStore
from harness.model.errors import NoBoxError
from harness.model.nouns import Caps
from harness.model.tree import Tree
from harness.verbs.ports import BaseImage, Box
from tests.fakes.fake_box import FakeBox
from tests.hosts.docker_side import images_kept, make_box_tree

_LEFT = Caps(cpus=0.5, memory_bytes=64 << 20, pids=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSide:
    """A box under test.

    Args:
        kind: Its name in `--box`, or `fake`.
        broken: A tree that does not build there, and of the reason a word.
        leave: Leaves what a killed run of that id leaves; returns what says whether it is still there.
        oom: How it words a kill for memory.
        open_ways: What a hostile cell can do in it, by the names of `hostile_probe`.
    """

    kind: str
    box: Box
    broken: tuple[Tree, str]
    leave: Callable[[str, BaseImage], Callable[[], bool]]
    oom: str = ""
    open_ways: Sequence[str] = ()


@contextmanager
def open_side(kind: str, folder: Path) -> Iterator[BoxSide]:
    """Give a box of a kind; without what it needs this fails.

    Args:
        kind: `fake`, `docker`, `cgroup` or `watchdog`.
        folder: For builds and cells of this machine.
    """
    if kind == "fake":
        yield _fake()
    elif kind == "docker":
        with _docker() as side:
            yield side
    else:
        with _local(kind, folder) as side:
            yield side


def _fake() -> BoxSide:
    box = FakeBox()

    def leave(run_id: str, _: BaseImage) -> Callable[[], bool]:
        box.containers.append(run_id)
        return lambda: run_id in box.containers

    return BoxSide(
        kind="fake", box=box, broken=(_without(_BROKEN, "Dockerfile"), "FORM"), leave=leave
    )


@contextmanager
def _docker() -> Iterator[BoxSide]:
    client = docker_engine.connect()
    box = DockerBox(lambda _: None)

    def leave(run_id: str, base_image: BaseImage) -> Callable[[], bool]:
        made = client.containers.create(base_image.id, ["true"], labels={RUN_LABEL: run_id})
        return lambda: made.id in {c.id for c in client.containers.list(all=True)}

    with images_kept(client):
        try:
            yield BoxSide(
                kind="docker",
                box=box,
                broken=(_BROKEN, "FORM"),
                leave=leave,
                oom="the engine reports OOMKilled",
            )
        finally:
            box.close()
    client.close()


@contextmanager
def _local(kind: str, folder: Path) -> Iterator[BoxSide]:
    """Yield a local box with a store of its own, and end its leftovers."""
    folder.chmod(0o755)
    store = LocalStore(folder)
    with ExitStack() as stack:
        enforcement = open_enforcement(kind)
        box = LocalBox(enforcement, lambda _: None, store)
        stack.enter_context(closing(box))

        def leave(run_id: str, _: BaseImage) -> Callable[[], bool]:
            sleeper = _leave_sleeper(enforcement, box, store.make_cell(run_id, None), run_id)
            return lambda: _runs(sleeper) or run_id in store.runs_of(run_id)

        broken = _without(make_box_tree("broken"), "harness/probe/__main__.py")
        oom = "its cgroup's oom_kill rose" if kind == "cgroup" else "the watchdog saw "
        yield BoxSide(
            kind=kind,
            box=box,
            broken=(broken, "harness/probe"),
            leave=leave,
            oom=oom,
            # where nobody's user cannot run the Python, a cell is root or this user, without capabilities
            open_ways=("read the passwords", "signal its parent"),
        )


def open_enforcement(kind: str) -> Enforcement:
    """Return the best enforcement for a kind of local box."""
    if kind == "watchdog":
        return watchdog_enforcement()
    enforcements, refused = find_enforcements()
    if not enforcements:
        raise NoBoxError("; ".join(refused))
    return enforcements[0]


def _leave_sleeper(
    enforcement: Enforcement, box: LocalBox, cell: Path, run_id: str
) -> psutil.Process:
    """Launch a cell that sleeps, and kill its launcher."""
    words = ("sh", "-c", "echo; exec sleep 600")
    environment = {"PATH": os.defpath, RUN_ENV: run_id}
    spec = box._make_launch_spec(cell, run_id, _LEFT, words, environment, cell)
    launched = LaunchedCell(enforcement, spec)
    keeper, stdout = launched._process, launched._process.stdout
    assert stdout is not None
    assert stdout.readline() == b"\n"
    (sleeper,) = psutil.Process(keeper.pid).children()
    keeper.kill()
    keeper.wait()
    for stream in (keeper.stdin, keeper.stdout, keeper.stderr):
        if stream is not None:
            stream.close()
    return sleeper


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _without(tree: Tree, path: str) -> Tree:
    return Tree(tuple(entry for entry in tree.entries if entry.path != path))


_BROKEN = make_box_tree("broken", dockerfile="FORM nothing\n")
