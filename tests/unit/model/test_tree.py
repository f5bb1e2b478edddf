"""The build context of a side: its hashes and its archive."""

import hashlib
import io
import itertools
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.tree import Entry, Tree
from harness.probe.subject import hash_sources
from tests.builders.model import make_tree

PUMP = Entry(path="src/escapement/pump.py", kind="file", content=b"SPEED = 1\n")
PROBE = Entry(path="harness/probe/__main__.py", kind="file", content=b"print()\n")
DOCKERFILE = Entry(path="Dockerfile", kind="file", content=b"FROM base\n")
OTHER = Entry(path="src/escapement_tools/x.py", kind="file", content=b"")
TREE = Tree((DOCKERFILE, PROBE, PUMP, OTHER))

Hash = Callable[[Tree], str]
HASHES: dict[str, Hash] = {
    "subject": lambda tree: tree.subject_hash,
    "gauge": lambda tree: tree.gauge_hash,
    "tree": lambda tree: tree.hash_on("sha256:base"),
}


def _changed(old: Entry, **changes: object) -> Tree:
    entries = [replace(entry, **changes) if entry is old else entry for entry in TREE.entries]  # type: ignore[arg-type]  # each has the type of its field
    return Tree(tuple(entries))


def _differing(tree: Tree) -> set[str]:
    """Name the hashes that differ between a tree and TREE."""
    return {name for name, read in HASHES.items() if read(tree) != read(TREE)}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param(_changed(PUMP, content=b"SPEED = 2\n"), {"subject", "tree"}, id="runtime"),
        pytest.param(
            _changed(PUMP, path="src/escapement/pumps.py"), {"subject", "tree"}, id="renamed"
        ),
        pytest.param(_changed(PUMP, kind="link"), {"subject", "tree"}, id="a link"),
        pytest.param(_changed(PUMP, executable=True), {"tree"}, id="executable"),
        pytest.param(_changed(PROBE, content=b"exit()\n"), {"gauge", "tree"}, id="probe"),
        pytest.param(
            _changed(DOCKERFILE, content=b"FROM x\n"), {"gauge", "tree"}, id="Dockerfile"
        ),
        pytest.param(_changed(OTHER, content=b"new"), {"tree"}, id="beside the runtime"),
        pytest.param(Tree((DOCKERFILE, PROBE, PUMP)), {"tree"}, id="a file less"),
    ],
)
def test_tree_hashes_cover_their_parts(tree: Tree, expected: set[str]) -> None:
    """The hashes cover the runtime, the gauge, and the whole tree."""
    assert _differing(tree) == expected


def test_tree_hash_covers_the_base_image() -> None:
    """The same sources on another image make another build."""
    assert TREE.hash_on("sha256:one") != TREE.hash_on("sha256:two")


def test_tree_hashes_do_not_depend_on_the_order_of_entries() -> None:
    """File systems may list a folder in any order."""
    orders = [Tree(tuple(order)) for order in itertools.permutations(TREE.entries)]
    assert len({tree.subject_hash for tree in orders}) == 1
    assert len({tree.gauge_hash for tree in orders}) == 1


def test_tree_hashes_have_a_fixed_format() -> None:
    """Stored runs depend on the format: name, NUL, length, NUL, content."""
    subject = b"pump.py\x0010\0SPEED = 1\n"
    gauge = b"Dockerfile\x0010\0FROM base\n" + b"harness/probe/__main__.py\x008\0print()\n"
    assert TREE.subject_hash == hashlib.sha256(subject).hexdigest()
    assert TREE.gauge_hash == hashlib.sha256(gauge).hexdigest()


def test_tree_hash_separates_contents_from_names() -> None:
    """Moving bytes between name and content, or between files, changes the hash."""
    one = Tree((Entry(path="src/escapement/a", kind="file", content=b"b1\0c"),))
    two = Tree(
        (
            Entry(path="src/escapement/a", kind="file", content=b""),
            Entry(path="src/escapement/b", kind="file", content=b"c"),
        )
    )
    assert one.subject_hash != two.subject_hash


def test_tree_subject_hash_equals_the_hash_of_the_probe(tmp_path: Path) -> None:
    """Host and probe compute the same hash, with links and unusual names too."""
    folder = tmp_path / "escapement"
    files = {"__init__.py": b"", "pump.py": b"SPEED = 1\n", "parts/é.txt": b"\xff\0"}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "again.py").symlink_to("pump.py")
    entries = [
        Entry(path=f"src/escapement/{name}", kind="file", content=content)
        for name, content in files.items()
    ]
    entries.append(Entry(path="src/escapement/again.py", kind="link", content=b"pump.py"))
    assert Tree(tuple(entries)).subject_hash == hash_sources(folder)


def test_tree_holds_files_and_folders() -> None:
    """A folder exists if it holds something; a prefix of a name is no folder."""
    found = {
        path: TREE.holds(path)
        for path in ("Dockerfile", "src", "src/escapement", "src/escape", "harness/probe", "docs")
    }
    assert [path for path, is_there in found.items() if is_there] == [
        "Dockerfile",
        "src",
        "src/escapement",
        "harness/probe",
    ]


def _unpacked(tree: Tree) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(tree.pack())) as archive:
        return archive.getmembers()


def test_tree_packs_to_the_same_bytes() -> None:
    """The archive holds neither the time nor the user."""
    assert TREE.pack() == make_copy(TREE).pack()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in _unpacked(TREE)} == {
        (0, 0, 0, "", "")
    }


def make_copy(tree: Tree) -> Tree:
    """Return an equal tree of new objects."""
    return Tree(tuple(replace(entry) for entry in tree.entries))


def test_tree_packs_all_entries() -> None:
    """Contents, links and the executable bit arrive, under names of any length."""
    long = "src/escapement/" + "d/" * 80 + "größe.py"
    tree = Tree(
        (
            PUMP,
            replace(PUMP, path="src/escapement/run.py", executable=True),
            Entry(path=long, kind="file", content=b"x" * 5000),
            Entry(path="src/escapement/link.py", kind="link", content="größe.py".encode()),
        )
    )
    with tarfile.open(fileobj=io.BytesIO(tree.pack())) as archive:
        contents = {}
        for member in archive.getmembers():
            file = archive.extractfile(member) if member.isreg() else None
            contents[member.name] = (file.read() if file else member.linkname, oct(member.mode))
    assert contents == {
        "src/escapement/pump.py": (b"SPEED = 1\n", "0o644"),
        "src/escapement/run.py": (b"SPEED = 1\n", "0o755"),
        long: (b"x" * 5000, "0o644"),
        "src/escapement/link.py": ("größe.py", "0o644"),
    }


def test_tree_accepts_names_that_are_not_text() -> None:
    """A file name may hold any bytes."""
    name = b"src/escapement/\xff.py".decode(errors="surrogateescape")
    tree = Tree(
        (
            Entry(path=name, kind="file", content=b""),
            Entry(path="src/escapement/z", kind="link", content=b"\xff.py"),
        )
    )
    assert len(tree.subject_hash) == len(tree.hash_on("sha256:base")) == 64
    file, link = _unpacked(tree)
    assert (file.name, link.linkname) == (name, b"\xff.py".decode(errors="surrogateescape"))


def test_tree_fixture_is_a_complete_context() -> None:
    """The tree of the other tests holds a bench and a runtime."""
    tree = make_tree(pump="")
    assert all(tree.holds(p) for p in ("Dockerfile", "harness/probe", "src/escapement/pump.py"))


def test_tree_holds_files_and_what_is_below_folders() -> None:
    """A link is neither a file nor a folder."""
    assert TREE.holds("Dockerfile")
    assert TREE.holds("src/escapement")
    assert not TREE.holds("src/escape")
    assert not _changed(DOCKERFILE, kind="link").holds("Dockerfile")


def test_tree_with_the_bench_of_another_keeps_its_runtime() -> None:
    """Its own bench is removed, and the other's runtime stays out."""
    older = Tree(
        (
            replace(DOCKERFILE, content=b"FROM older\n"),
            replace(PROBE, path="harness/probe/old.py"),
            PUMP,
        )
    )
    newer = Tree((DOCKERFILE, PROBE, replace(PUMP, content=b"SPEED = 9\n"), OTHER))
    assert older.with_bench_of(newer).entries == (DOCKERFILE, PROBE, PUMP)
