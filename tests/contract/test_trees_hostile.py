"""Trees, files and defaults of a hostile branch: no link, no hang, no excess."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.git import changes
from harness.adapters.git.repo import GitRepo
from harness.adapters.host import trees
from harness.adapters.host.files import read_plain
from harness.adapters.host.owner import own_run_id
from harness.adapters.host.pyproject import read_defaults
from harness.adapters.host.trees import write_tree
from harness.model.errors import RepoError, UsageError
from harness.model.tree import Entry, Tree
from tests.builders.checkout import Checkout
from tests.subjects.hostile_checkout import add_links

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]
TERABYTE = 1 << 40


@pytest.fixture
def feature(git_checkout: Make) -> Checkout:
    """Return a checkout on a branch that is one commit above main."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("Pump by waking", pump="SPEED = 2\n")
    return checkout


def test_trees_keep_links_and_follow_none(feature: Checkout, open_repo: Open) -> None:
    """On both sides a link is the text of its target, wherever it leads."""
    add_links(feature)
    feature.commit("links")
    repo = open_repo(feature.root)
    branch = repo.branch_tree()
    with repo.base_tree(repo.find_sides(base="HEAD", main=None), own_run_id()) as base:
        assert base.entries == branch.entries
    links = {entry.path: entry.content for entry in branch.entries if entry.kind == "link"}
    assert links["src/escapement/etc"] == b"/etc"
    assert links["harness/probe/x"] == b"../../../../etc/passwd"
    assert len(links) == 7
    assert not any(b"root:" in entry.content for entry in branch.entries)


@pytest.mark.parametrize("where", ["src/escapement/odd", "harness/probe/odd"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_trees_refuse_pipes_and_sockets(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch, where: str, kind: str
) -> None:
    """The error is one line, and comes at once."""
    monkeypatch.chdir(feature.root)  # the path of a socket is short
    if kind == "pipe":
        os.mkfifo(where)
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(where)
    with pytest.raises(RepoError, match="odd is neither a file nor a folder nor a link"):
        open_repo(feature.root).branch_tree()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link"])
def test_plain_files_are_regular_files(tmp_path: Path, kind: str) -> None:
    """The open file is checked: a swapped link or pipe neither misleads nor blocks."""
    path = tmp_path / "odd"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    else:
        path = Path("/dev/zero")
    with pytest.raises(OSError, match=r"not a regular file|symbolic links"):
        read_plain(path, limit_bytes=10)


def test_plain_files_are_bounded_without_a_size(tmp_path: Path) -> None:
    """A file of the kernel has size 0 and long content."""
    with pytest.raises(OSError, match="it holds more than 0 MiB"):
        read_plain(Path("/proc/self/maps"), limit_bytes=10)
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert read_plain(tmp_path / "ten", limit_bytes=10) == b"0123456789"


def test_trees_refuse_a_file_of_a_terabyte(feature: Checkout, open_repo: Open) -> None:
    """A sparse file needs no disk space, and would fill the memory."""
    os.truncate(feature.write("src/escapement/huge.py", ""), TERABYTE)
    with pytest.raises(RepoError, match=r"cannot read .*huge.py: it holds more than 64 MiB"):
        open_repo(feature.root).branch_tree()


def test_trees_refuse_too_many_files(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All files together are bounded, by their size and their number."""
    monkeypatch.setattr(trees, "_ALL_ENTRIES", 3)
    with pytest.raises(RepoError, match="holds more than 256 MiB or 3 files — keep sources"):
        open_repo(feature.root).branch_tree()
    monkeypatch.undo()
    monkeypatch.setattr(trees, "_ALL_BYTES", 30)
    with pytest.raises(RepoError, match="holds more than 0 MiB"):
        open_repo(feature.root).branch_tree()


def test_trees_refuse_deep_folders(feature: Checkout, open_repo: Open) -> None:
    """Writing and removing folders recurses."""
    (feature.root / "src" / "/".join("d" * 120)).mkdir(parents=True)
    with pytest.raises(RepoError, match="holds folders more than 100 deep"):
        open_repo(feature.root).branch_tree()


def test_trees_keep_names_of_any_kind(feature: Checkout, open_repo: Open) -> None:
    """A name is the bytes of the file system, the same on both sides."""
    names = ("-rf", "--help", "a\nb", "\x1b[2J", "\udcff\udcfe", "n" * 250)
    for name in names:
        feature.write(f"src/escapement/{name}", "odd")
    feature.commit("odd names")
    repo = open_repo(feature.root)
    branch = repo.branch_tree()
    with repo.base_tree(repo.find_sides(base="HEAD", main=None), own_run_id()) as base:
        assert base.entries == branch.entries
    for name in names:
        assert branch.holds(f"src/escapement/{name}")
        assert os.fsencode(name) in branch.pack()


def test_changes_are_found_in_bounded_time(feature: Checkout, open_repo: Open) -> None:
    """A terabyte counts by its size and time, a pipe by its name; neither is read."""
    repo = open_repo(feature.root)
    for name in ("Dockerfile", "untracked"):
        os.truncate(feature.write(name, ""), TERABYTE)
    os.mkfifo(feature.root / "pipe")
    one = repo.find_sides(base="HEAD", main=None).dirty
    os.truncate(feature.root / "untracked", TERABYTE + 1)
    assert one != repo.find_sides(base="HEAD", main=None).dirty


def test_changes_are_read_up_to_a_bound(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound, size and time of a file replace its content."""
    monkeypatch.setattr(changes, "_ALL_BYTES", 5)
    repo = open_repo(feature.root)
    feature.write("a", "1234")
    late = feature.write("b", "12")
    os.utime(late, (1, 1))
    one = repo.find_sides(base="HEAD", main=None).dirty
    late.write_text("34")
    os.utime(late, (1, 1))
    assert repo.find_sides(base="HEAD", main=None).dirty == one
    os.utime(late, (2, 2))
    assert repo.find_sides(base="HEAD", main=None).dirty != one


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a = " + b"[" * 100_000, "cannot be read: "),
        (b"tool = 3", "tool.esc-bench is not a table"),
        (b"a = 1" + b"0" * 5000, "cannot be read: "),
        (b'a = "' + b"\x1b" * 1000, "cannot be read: "),
        (
            b"[tool.esc-bench]\nbase_image = './evil'",
            "sets base_image, which a file of the branch must not",
        ),
        (b"[tool.esc-bench]\nbox = 'watchdog'", "sets box, which a file of the branch must not"),
    ],
)
def test_defaults_of_a_branch_are_data(tmp_path: Path, content: bytes, expected: str) -> None:
    """A file that breaks its reader is reported in one line."""
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError, match=expected) as caught:
        read_defaults(tmp_path)
    assert str(caught.value).isprintable()


def test_defaults_are_read_within_bounds(tmp_path: Path) -> None:
    """A gigabyte, a pipe and a link are refused unread."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"")
    os.truncate(path, 1 << 30)
    with pytest.raises(UsageError, match="cannot be read: it holds more than 1 MiB"):
        read_defaults(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="cannot be read: it is not a regular file"):
        read_defaults(tmp_path)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(
        UsageError, match="cannot be read: it is a link, and links are not followed"
    ):
        read_defaults(tmp_path)


@pytest.mark.parametrize("path", ["../out", "/out", "src/link/out"])
def test_trees_are_written_into_their_folder_alone(tmp_path: Path, path: str) -> None:
    """No entry is written above the folder, or through a link of the tree."""
    tree = Tree(
        (
            Entry(path="src/link", kind="link", content=os.fsencode(tmp_path)),
            Entry(path=path, kind="file", content=b"owned"),
        )
    )
    with pytest.raises(RepoError, match="of the build context leads out of it"):
        write_tree(tmp_path / "folder", tree)
    assert not (tmp_path / "out").exists()
