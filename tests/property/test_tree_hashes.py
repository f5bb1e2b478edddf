"""The hashes of a tree: equal for equal trees, and for no others."""

import io
import tarfile
from random import Random

from hypothesis import given, settings, strategies as st

from harness.model.tree import Entry, Tree

NAMES = st.text(st.sampled_from("ab\0-0>é/"), min_size=1, max_size=4)
CONTENTS = st.text(st.sampled_from("ab\0-0>\n1"), max_size=6).map(str.encode)
ENTRIES = st.builds(
    Entry,
    path=NAMES.map(lambda name: f"src/escapement/{name.replace(chr(0), '0')}"),
    kind=st.sampled_from(["file", "link"]),
    content=CONTENTS.map(lambda content: content.replace(b"\0", b"0")),
)
TREES = st.lists(ENTRIES, max_size=3, unique_by=lambda entry: entry.path).map(
    lambda entries: Tree(tuple(sorted(entries, key=lambda entry: entry.path.encode())))
)
FILES = st.lists(
    st.builds(
        Entry,
        path=st.text(st.sampled_from("abé-_."), min_size=1, max_size=120).map("src/x{}".format),
        kind=st.just("file"),
        content=st.binary(max_size=50),
        executable=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda entry: entry.path,
)


@settings(max_examples=300)
@given(one=TREES, two=TREES)
def test_tree_hashes_are_equal_for_equal_trees_alone(one: Tree, two: Tree) -> None:
    """Small trees of hostile names and contents never share a hash."""
    assert (one.subject_hash == two.subject_hash) == (one == two)
    assert (one.hash_on("sha256:x") == two.hash_on("sha256:x")) == (one == two)


@given(tree=TREES, order=st.randoms(use_true_random=False))
def test_tree_subject_does_not_depend_on_order(tree: Tree, order: Random) -> None:
    """Entries may come in any order."""
    shuffled = list(tree.entries)
    order.shuffle(shuffled)
    assert Tree(tuple(shuffled)).subject_hash == tree.subject_hash


@given(entries=FILES)
def test_tree_pack_holds_the_entries_of_the_tree(entries: list[Entry]) -> None:
    """The engine unpacks exactly the hashed entries."""
    with tarfile.open(fileobj=io.BytesIO(Tree(tuple(entries)).pack())) as archive:
        unpacked = []
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file is not None
            is_executable = bool(member.mode & 0o100)
            unpacked.append(
                Entry(path=member.name, kind="file", content=file.read(), executable=is_executable)
            )
    assert unpacked == entries
