"""Repositories that want to be obeyed: nothing of them runs, nothing leads out of them, nothing is without bound."""

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters import dirt, quiet_git, tree_files
from harness.adapters.git_repo import GitRepo
from harness.adapters.owner import own_run_id
from harness.adapters.plain_file import read_plain
from harness.adapters.pyproject_file import read_defaults
from harness.adapters.tree_folder import write_tree
from harness.errors import RepoError, UsageError
from harness.tree import Entry, Tree
from tests.fakes.checkout import Checkout
from tests.fakes.hostile_checkout import (
    Trap,
    add_links,
    add_submodule,
    set_filters,
    set_hooks,
    set_programs,
)

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]
TERABYTE = 1 << 40


@pytest.fixture
def feature(git_checkout: Make) -> Checkout:
    """Give a checkout on a branch that is one commit above main."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("Pump by waking", pump="SPEED = 2\n")
    return checkout


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """Give a program that notes that it was run."""
    return Trap.make(tmp_path / "trap")


def _use_all(repo: GitRepo) -> None:
    refs = repo.find_sides(base=None, main=None)
    with repo.base_tree(refs, own_run_id()):
        repo.branch_tree()
    repo.find_sides(base="HEAD~1", main=None)
    repo.prune()


@pytest.mark.parametrize("make", [set_hooks, set_filters, set_programs, add_submodule])
def test_repo_runs_nothing_that_is_configured(
    feature: Checkout, open_repo: Open, trap: Trap, make: Callable[[Checkout, Trap], None]
) -> None:
    """Hooks, filters of any name, monitors, pagers, signatures and submodules stay silent, whoever configured them."""
    make(feature, trap)
    feature.write("src/escapement/pump.py", "SPEED = 4\n")
    trap.sprung()
    _use_all(open_repo(feature.root))
    assert trap.sprung() == ""
    assert len(feature.worktrees()) == 1


def test_repo_traps_work(git_checkout: Make, trap: Trap) -> None:
    """Git by itself does run what the test before this one finds silent."""
    for make, does in ((set_hooks, "checkout"), (set_filters, "diff"), (set_programs, "diff")):
        checkout = git_checkout(make.__name__)
        make(checkout, trap)
        checkout.write("Dockerfile", "FROM newer\n")
        trap.sprung()
        subprocess.run(["git", does], cwd=checkout.root, capture_output=True, check=False)
        assert trap.sprung() != "", make


def test_repo_takes_no_orders_from_the_environment(
    feature: Checkout,
    git_checkout: Make,
    open_repo: Open,
    trap: Trap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hook that runs the bench has git's own variables set, which name another repository or a program."""
    other = git_checkout("other")
    expected = open_repo(feature.root).find_sides(base=None, main=None)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git/index"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor={trap.program}'")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap.program))
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_EDITOR", "GIT_ASKPASS", "GIT_SSH_COMMAND"):
        monkeypatch.setenv(name, str(trap.program))
    repo = open_repo(feature.root)
    assert repo.find_sides(base=None, main=None) == expected
    with repo.base_tree(expected, own_run_id()) as tree:
        assert tree.holds("src/escapement/pump.py")
    assert trap.sprung() == ""


def test_repo_refuses_a_count_of_settings_that_is_none(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the environment says of git's configuration is added to, so it has to make sense."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "many")
    with pytest.raises(RepoError, match=r"^GIT_CONFIG_COUNT in the environment is 'many'"):
        _use_all(open_repo(feature.root))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("fatal: detected dubious ownership in repository at '/x'", "belongs to somebody else"),
        ("fatal: could not fetch 0 from promisor remote", "is a partial clone"),
    ],
)
def test_repo_says_what_git_means(
    feature: Checkout,
    open_repo: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    expected: str,
) -> None:
    """A refusal of git's is one line that says what to do, and is not taken for a ref that does not exist."""
    repo = open_repo(feature.root)
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    quiet = '[ "$1" = config ] && printf "esc-bench.quiet\\0" && exit 0'
    program.write_text(f'#!/bin/sh\n{quiet}\necho "{said}" >&2\nexit 128\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(RepoError, match=expected) as caught:
        repo.find_sides(base=None, main=None)
    assert len(str(caught.value).splitlines()) == 1


def test_repo_needs_a_git_that_can_be_kept_quiet(
    feature: Checkout, open_repo: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A git that is too old to be told does nothing at all, rather than what a branch wants."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(RepoError, match=r"install git 2\.31 or newer$"):
        open_repo(feature.root).find_sides(base=None, main=None)


def test_repo_has_one_place_that_runs_git() -> None:
    """Whoever needs git asks there; GitPython only finds the repository."""
    harness = Path(quiet_git.__file__).parents[1]
    texts = {path.name: path.read_text() for path in harness.rglob("*.py")}
    assert [name for name, text in texts.items() if '["git"' in text] == ["quiet_git.py"]
    assert [name for name, text in texts.items() if "\nimport git\n" in text] == ["git_repo.py"]


def test_repo_fetches_nothing_into_a_partial_clone(
    feature: Checkout, open_repo: Open, tmp_path: Path
) -> None:
    """What a clone does not have is named, and no transport is started for it."""
    feature.git("config", "uploadpack.allowFilter", "true")
    clone = Checkout(tmp_path / "clone")
    feature.git(
        "clone", "--quiet", "--filter=blob:none", f"file://{feature.root}", str(clone.root)
    )
    repo = open_repo(clone.root)
    refs = repo.find_sides(base="HEAD~1", main=None)
    with (
        pytest.raises(RepoError, match="is a partial clone") as caught,
        repo.base_tree(refs, own_run_id()),
    ):
        pass
    assert caught.value.hint.endswith("git fetch --refetch --no-filter")
    assert len(clone.worktrees()) == 1


def test_repo_that_prints_without_end_is_told(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What git prints is bounded, too."""
    monkeypatch.setattr(quiet_git, "_LONGEST_BYTES", 20)
    with pytest.raises(RepoError, match=r"^git rev-parse printed more than 0 MiB in "):
        open_repo(feature.root).find_sides(base=None, main=None)


def test_repo_that_went_away_is_told(feature: Checkout, open_repo: Open) -> None:
    """A checkout that is moved in a run is no missing git."""
    repo = open_repo(feature.root)
    feature.root.rename(feature.root.parent / "moved")
    with pytest.raises(RepoError, match=r"is gone$"):
        repo.find_sides(base=None, main=None)


@pytest.mark.parametrize("options", ["--sparse", "--no-checkout"])
def test_base_tree_is_whole_in_a_sparse_checkout(
    feature: Checkout, open_repo: Open, tmp_path: Path, options: str
) -> None:
    """What a person chose not to see of the checkout is there in the base."""
    clone = Checkout(tmp_path / "clone")
    feature.git("clone", "--quiet", options, f"file://{feature.root}", str(clone.root))
    clone.git("sparse-checkout", "set", "harness")
    clone.git("checkout", "--quiet", "feature")
    repo = open_repo(clone.root)
    with repo.base_tree(repo.find_sides(base="HEAD~1", main=None), own_run_id()) as tree:
        assert tree.holds("src/escapement/pump.py")


NO_COMMITS = (
    "--upload-pack=touch x",
    "HEAD; rm",
    "a\nb",
    "-rf",
    "HEAD\x1b[2J",
    "@{-1}",
    ":/(((",
    "^HEAD",
    "HEAD..main",
    "x" * 100_000,
    "\udcff",
)
COMMITS = ("HEAD^{/first}", ":/the first", "HEAD@{0}", "-x", "--help", "tag")


@pytest.mark.parametrize("flag", ["base", "main"])
def test_repo_refuses_hostile_refs_in_one_line(
    git_checkout: Make, open_repo: Open, flag: str
) -> None:
    """No ref is an option, a range or a search gone wrong, and no message is longer or louder than a line."""
    repo = open_repo(git_checkout().root)
    for ref in NO_COMMITS:
        given = {"base": None, "main": None} | {flag: ref}
        with pytest.raises(RepoError) as caught:
            repo.find_sides(**given)
        text = str(caught.value)
        assert text.startswith(f"--{flag}: ")
        assert text.isprintable()
        assert len(text) < 1000


def test_repo_takes_whatever_names_a_commit(git_checkout: Make, open_repo: Open) -> None:
    """Searches and reflogs are fine, and so are names that look like options; a tag stands for its commit."""
    checkout = git_checkout()
    for name in ("heads/-x", "heads/--help"):
        checkout.git("update-ref", f"refs/{name}", "HEAD")
    checkout.git("tag", "--annotate", "--message=x", "tag")
    repo, head = open_repo(checkout.root), checkout.head
    for ref in COMMITS:
        refs = repo.find_sides(base=ref, main=None)
        assert (refs.base, refs.how) == (head, f"--base {ref}")
        assert repo.find_sides(base=None, main=ref).base == head


def test_repo_refuses_a_tag_of_something_else(git_checkout: Make, open_repo: Open) -> None:
    """A tag may stand for a file or a folder, which cannot be compared."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    for what in ("HEAD:Dockerfile", "HEAD:src"):
        checkout.git("tag", "--force", "odd", what)
        with pytest.raises(RepoError, match=r"^--base: 'odd' is not a commit of "):
            repo.find_sides(base="odd", main=None)


def test_repo_asks_when_a_branch_and_a_tag_have_one_name(
    feature: Checkout, open_repo: Open
) -> None:
    """Git would silently take the tag, which anybody may have pushed."""
    feature.git("branch", "v1", "HEAD~1")
    feature.git("tag", "v1", "HEAD")
    repo = open_repo(feature.root)
    with pytest.raises(RepoError, match=r"^--base: 'v1' is a branch and a tag, of two commits — "):
        repo.find_sides(base="v1", main=None)
    assert repo.find_sides(base="refs/heads/v1", main=None).base != feature.head


@pytest.mark.parametrize("main", [None, "main"])
def test_repo_takes_no_tag_for_the_default_branch(
    feature: Checkout, open_repo: Open, main: str | None
) -> None:
    """A tag of that name does not choose what a branch is compared with."""
    base = feature.git("rev-parse", "main")
    feature.git("tag", "main", "HEAD")
    refs = open_repo(feature.root).find_sides(base=None, main=main)
    assert (refs.base, refs.how) == (base, "the merge-base with main")


def test_repo_cuts_what_it_shows_of_a_commit(git_checkout: Make, open_repo: Open) -> None:
    """A title of 10 KB, or a search that is as long, is no line of a table."""
    checkout = git_checkout()
    checkout.commit("x" * 10_000)
    refs = open_repo(checkout.root).find_sides(base=f":/{'x' * 1000}", main=None)
    assert refs.branch_title == "x" * 199 + "…"
    assert len(refs.how) < 220


@pytest.mark.parametrize(
    "name", ["-x", "with space", "new\nline", "$HOME", "~", "%PATH%", "\udcff"]
)
def test_repo_may_be_in_a_folder_of_any_name(
    git_checkout: Make, open_repo: Open, name: str
) -> None:
    """Nothing of the path is an option, a variable or a command."""
    checkout = git_checkout(name)
    checkout.commit("second")
    repo = open_repo(checkout.root)
    refs = repo.find_sides(base=None, main=None)
    with repo.base_tree(refs, own_run_id()) as tree:
        assert tree.holds("Dockerfile")
    assert repo.root == checkout.root


@pytest.mark.parametrize("name", ["a file", "x" * 300, "nul\0"])
def test_repo_refuses_a_path_that_is_no_folder(tmp_path: Path, git_alone: Path, name: str) -> None:
    """A file, a name that is too long, or one that nothing can have is no checkout."""
    del git_alone
    (tmp_path / "a file").write_text("")
    with pytest.raises(RepoError, match="is not in a git repository"):
        GitRepo(tmp_path / name)


def test_trees_keep_links_and_follow_none(feature: Checkout, open_repo: Open) -> None:
    """Absolute, upwards, in circles or nowhere: a link is its target's text, on both sides, and nothing behind it is read."""
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
def test_trees_refuse_what_would_hang(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch, where: str, kind: str
) -> None:
    """A pipe or a socket in the context is one clear line, at once."""
    monkeypatch.chdir(feature.root)  # the path of a socket is short
    if kind == "pipe":
        os.mkfifo(where)
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(where)
    with pytest.raises(RepoError, match="odd is neither a file nor a folder nor a link"):
        open_repo(feature.root).branch_tree()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link"])
def test_plain_files_are_nothing_else(tmp_path: Path, kind: str) -> None:
    """What is opened is looked at, so that what took a file's place a moment ago neither misleads nor keeps anybody waiting."""
    path = tmp_path / "odd"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    else:
        path = Path("/dev/zero")
    with pytest.raises(OSError, match=r"no regular file|symbolic links"):
        read_plain(path, limit_bytes=10)


def test_plain_files_are_bounded_whatever_their_size_says(tmp_path: Path) -> None:
    """A file of the kernel's has no size, and may have a lot to say."""
    with pytest.raises(OSError, match="it holds more than 0 MiB"):
        read_plain(Path("/proc/self/maps"), limit_bytes=10)
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert read_plain(tmp_path / "ten", limit_bytes=10) == b"0123456789"


def test_trees_refuse_a_file_of_a_terabyte(feature: Checkout, open_repo: Open) -> None:
    """A sparse file takes no room on a disk, and would take all of the memory."""
    os.truncate(feature.write("src/escapement/huge.py", ""), TERABYTE)
    with pytest.raises(RepoError, match=r"cannot read .*huge.py: it holds more than 64 MiB"):
        open_repo(feature.root).branch_tree()


def test_trees_refuse_what_is_large_together(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many files are bounded as one is, by their size and by their number."""
    monkeypatch.setattr(tree_files, "_ALL_ENTRIES", 3)
    with pytest.raises(RepoError, match="holds more than 256 MiB or 3 files — take out"):
        open_repo(feature.root).branch_tree()
    monkeypatch.undo()
    monkeypatch.setattr(tree_files, "_ALL_BYTES", 30)
    with pytest.raises(RepoError, match="holds more than 0 MiB"):
        open_repo(feature.root).branch_tree()


def test_trees_refuse_what_is_deeper_than_calls_can_be(feature: Checkout, open_repo: Open) -> None:
    """Folders in each other without end would trip what writes and removes them."""
    (feature.root / "src" / "/".join("d" * 120)).mkdir(parents=True)
    with pytest.raises(RepoError, match="holds folders more than 100 deep"):
        open_repo(feature.root).branch_tree()


def test_trees_take_names_of_any_kind(feature: Checkout, open_repo: Open) -> None:
    """A name is what the file system says, and is the same on both sides."""
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


def test_dirt_is_found_in_bounded_time(feature: Checkout, open_repo: Open) -> None:
    """A terabyte, tracked or not, counts by its size and time, and a pipe by its name; none is read."""
    repo = open_repo(feature.root)
    for name in ("Dockerfile", "untracked"):
        os.truncate(feature.write(name, ""), TERABYTE)
    os.mkfifo(feature.root / "pipe")
    one = repo.find_sides(base="HEAD", main=None).dirty
    os.truncate(feature.root / "untracked", TERABYTE + 1)
    assert one != repo.find_sides(base="HEAD", main=None).dirty


def test_dirt_reads_no_more_than_so_much(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bound the size and the time of a file stand for it."""
    monkeypatch.setattr(dirt, "_ALL_BYTES", 5)
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
            "sets base_image, which is not for a file of the",
        ),
        (b"[tool.esc-bench]\nbox = 'watchdog'", "sets box, which is not for a file of the branch"),
    ],
)
def test_defaults_of_a_branch_are_data(tmp_path: Path, content: bytes, expected: str) -> None:
    """A file that is made to trip its reader is one clear line."""
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError, match=expected) as caught:
        read_defaults(tmp_path)
    assert str(caught.value).isprintable()


def test_defaults_are_read_within_bounds(tmp_path: Path) -> None:
    """Neither a gigabyte, nor a pipe, nor a link is read."""
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"")
    os.truncate(path, 1 << 30)
    with pytest.raises(UsageError, match="cannot be read: it holds more than 1 MiB"):
        read_defaults(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="cannot be read: it is no regular file"):
        read_defaults(tmp_path)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(
        UsageError, match="cannot be read: it is a link, and links are not followed"
    ):
        read_defaults(tmp_path)


@pytest.mark.parametrize("path", ["../out", "/out", "src/link/out"])
def test_trees_are_written_into_their_folder_alone(tmp_path: Path, path: str) -> None:
    """No entry is written above the folder, nor through a link that the tree itself holds."""
    tree = Tree(
        (
            Entry(path="src/link", kind="link", content=os.fsencode(tmp_path)),
            Entry(path=path, kind="file", content=b"owned"),
        )
    )
    with pytest.raises(RepoError, match="of the build context leads out of it"):
        write_tree(tmp_path / "folder", tree)
    assert not (tmp_path / "out").exists()
