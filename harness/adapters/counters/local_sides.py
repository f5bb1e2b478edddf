"""The trees of both sides in temporary folders, compiled, and always removed."""

import compileall
import platform
import py_compile
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from harness.adapters.host.isolation import Confinement, find_confinement
from harness.adapters.host.owner import is_alive, own_run_id
from harness.adapters.host.trees import write_tree
from harness.model.nouns import Side
from harness.model.tree import Tree

_PREFIX = "esc-bench-count-"
WORK = "work"  # beside the tree of a side: the folders of its processes


class LocalSideFolders:
    """Folders named by their run: the next run removes those of a killed one."""

    @cached_property
    def confined(self) -> Confinement:
        """The confinement of the processes that run there."""
        return find_confinement(Path(tempfile.gettempdir()))

    @property
    def confinement(self) -> str:
        """The same, for people."""
        return self.confined.how

    @property
    def python(self) -> str:
        """The interpreter of the processes: this one."""
        return f"{platform.python_implementation()} {platform.python_version()}"

    @contextmanager
    def open(self, trees: Mapping[Side, Tree]) -> Iterator[Mapping[Side, str]]:
        """Write each tree to a folder, yield the folders, then remove them."""
        _remove_leftovers()
        root = Path(tempfile.gettempdir(), _PREFIX + _pad_numbers(own_run_id()))
        try:
            root.mkdir(mode=0o755)
            yield {side: str(_put(root, number, trees[side])) for number, side in enumerate(trees)}
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _pad_numbers(run_id: str) -> str:
    """Pad the numbers of a run id: the paths of two runs must cost the same."""
    word, where, *numbers = run_id.split("-")
    return "-".join([word, where, *(number.rjust(12, "0") for number in numbers)])


def _put(root: Path, number: int, tree: Tree) -> Path:
    """Write and compile a tree, in a folder with a path of fixed length."""
    place = root / f"side-{number}"
    place.mkdir(mode=0o755)
    write_tree(place, tree)
    # A count must not depend on who compiles first. A module that does not parse fails on import.
    compileall.compile_dir(
        place,
        ddir="",
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        limit_sl_dest=str(place),  # never compile through a link that leads out
    )
    (place / WORK).mkdir(mode=0o755)
    return place


def _remove_leftovers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}esc-*"):
        if not is_alive(folder.name.removeprefix(_PREFIX)):
            shutil.rmtree(folder, ignore_errors=True)
