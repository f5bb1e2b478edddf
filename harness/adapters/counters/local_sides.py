"""Local environments: each side's tree in a folder for temporary files, compiled, and always removed."""

import compileall
import platform
import py_compile
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.adapters.host.isolation import Confinement, find_confinement
from harness.adapters.host.owner import is_alive, own_run_id
from harness.adapters.host.trees import write_tree
from harness.model.nouns import Side
from harness.model.tree import Tree

_PREFIX = "esc-bench-count-"
WORK = "work"  # beside a side's tree: what its processes write


class LocalSideFolders:
    """Folders that are named by the process that made them, so that what a killed one left can be told and removed."""

    def __init__(self) -> None:
        self._found: Confinement | None = None

    @property
    def confined(self) -> Confinement:
        """How processes are held that run there; it is found once."""
        if self._found is None:
            self._found = find_confinement(Path(tempfile.gettempdir()))
        return self._found

    @property
    def confinement(self) -> str:
        """The same, for people."""
        return self.confined.how

    @property
    def python(self) -> str:
        """The interpreter that they run in: this one."""
        return f"{platform.python_implementation()} {platform.python_version()}"

    @contextmanager
    def open(self, trees: Mapping[Side, Tree]) -> Iterator[Mapping[Side, str]]:
        """Put each tree into a folder of its own for as long as the block runs, and give the folders."""
        _remove_leftovers()
        root = Path(tempfile.gettempdir(), _PREFIX + _of_one_length(own_run_id()))
        try:
            root.mkdir(mode=0o755)
            yield {side: str(_put(root, number, trees[side])) for number, side in enumerate(trees)}
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _of_one_length(run_id: str) -> str:
    """Pad the numbers of a run id with zeros, so that the paths of two runs cost the same."""
    word, where, *numbers = run_id.split("-")
    return "-".join([word, where, *(number.rjust(12, "0") for number in numbers)])


def _put(root: Path, number: int, tree: Tree) -> Path:
    """Write a tree into a folder whose path is as long as that of every other side."""
    place = root / f"side-{number}"
    place.mkdir(mode=0o755)
    write_tree(place, tree)
    # A count must not depend on who compiled first. One that does not parse is told by the process that imports it.
    compileall.compile_dir(
        place,
        ddir="",
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        limit_sl_dest=str(place),  # a link that leads out of the tree is not read
    )
    (place / WORK).mkdir(mode=0o755)
    return place


def _remove_leftovers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}esc-*"):
        if not is_alive(folder.name.removeprefix(_PREFIX)):
            shutil.rmtree(folder, ignore_errors=True)
