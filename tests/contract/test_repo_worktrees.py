"""The trees of both sides, and the worktree of the base, in real repositories."""

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.git.repo import GitRepo
from harness.adapters.host.owner import own_run_id
from harness.model.errors import BranchCannotRunError, RepoError
from harness.model.tree import Tree
from harness.verbs.ports import Refs
from tests.builders.checkout import Checkout

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]
DEAD = "esc-999999999-1-0"  # the owner of no process


@pytest.fixture
def feature(git_checkout: Make) -> Checkout:
    """Return a checkout on a branch that is one commit above main."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("Pump by waking", pump="SPEED = 2\n")
    return checkout


def _texts(tree: Tree) -> dict[str, str]:
    return {entry.path: entry.content.decode() for entry in tree.entries}


def _refs(repo: GitRepo) -> Refs:
    return repo.find_sides(base=None, main=None)


def _base_texts(repo: GitRepo) -> dict[str, str]:
    with repo.base_tree(_refs(repo), own_run_id()) as tree:
        return _texts(tree)


def _left(checkout: Checkout, temporary: Path) -> tuple[list[str], list[Path]]:
    return checkout.worktrees()[1:], list(temporary.iterdir())


def test_base_tree_is_the_base_with_the_branchs_bench(feature: Checkout, open_repo: Open) -> None:
    """The runtime is the base's; probe and Dockerfile are the working tree's."""
    feature.write("harness/probe/__init__.py", '"""Newer."""\n')
    feature.write("harness/probe/extra.py", "NEW = True\n")
    feature.write("Dockerfile", "FROM newer\n")
    texts = _base_texts(open_repo(feature.root))
    assert texts == {
        "Dockerfile": "FROM newer\n",
        "harness/__init__.py": '"""The bench."""\n',
        "harness/probe/__init__.py": '"""Newer."""\n',
        "harness/probe/extra.py": "NEW = True\n",
        "src/escapement/__init__.py": '"""The runtime."""\n',
        "src/escapement/pump.py": "SPEED = 1\n",
    }


def test_base_tree_keeps_nothing_of_the_bases_bench(git_checkout: Make, open_repo: Open) -> None:
    """A probe file of the base alone would measure one side differently."""
    checkout = git_checkout()
    checkout.write("harness/probe/old.py", "OLD = True\n")
    checkout.commit("an older bench")
    checkout.git("switch", "--quiet", "--create", "feature")
    (checkout.root / "harness/probe/old.py").unlink()
    checkout.commit("a newer bench")
    assert "harness/probe/old.py" not in _base_texts(open_repo(checkout.root))


@pytest.mark.parametrize("bench", ["nothing", "a file", "a link"])
def test_base_tree_gets_a_bench_whatever_the_base_has_there(
    git_checkout: Make, open_repo: Open, bench: str
) -> None:
    """The base may have no bench, or other files of its name."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.git("switch", "--quiet", "main")
    checkout.git("rm", "-r", "--quiet", "harness", "Dockerfile")
    if bench == "a file":
        checkout.write("harness", "no folder\n")
    if bench == "a link":
        (checkout.root / "harness").symlink_to("src")
    checkout.commit("without a bench")
    checkout.git("switch", "--quiet", "feature")
    checkout.git("merge", "--quiet", "--strategy=ours", "--message=keep mine", "main")
    repo = open_repo(checkout.root)
    with repo.base_tree(repo.find_sides(base="main", main=None), own_run_id()) as tree:
        assert tree.gauge_hash == repo.branch_tree().gauge_hash


def test_base_tree_needs_the_branchs_bench(feature: Checkout, open_repo: Open) -> None:
    """A working tree without a Dockerfile cannot run the base."""
    (feature.root / "Dockerfile").unlink()
    repo = open_repo(feature.root)
    with pytest.raises(BranchCannotRunError, match="the branch has no Dockerfile in "):
        _base_texts(repo)
    assert len(feature.worktrees()) == 1


def test_branch_tree_is_the_working_tree_as_it_is(feature: Checkout, open_repo: Open) -> None:
    """It holds uncommitted, untracked and ignored files of the context alone."""
    feature.write("src/escapement/pump.py", "SPEED = 3\n")
    feature.write("src/escapement/new.py", "")
    feature.write(".gitignore", "*.secret\n")
    feature.write("src/escapement/a.secret", "")
    feature.write("src/escapement/__pycache__/pump.pyc", "")
    feature.write("harness/bench.py", "")
    feature.write("results/table.md", "")
    texts = _texts(open_repo(feature.root).branch_tree())
    assert texts["src/escapement/pump.py"] == "SPEED = 3\n"
    assert [path for path in texts if path != "src/escapement/pump.py"] == [
        "Dockerfile",
        "harness/__init__.py",
        "harness/probe/__init__.py",
        "src/escapement/__init__.py",
        "src/escapement/a.secret",
        "src/escapement/new.py",
    ]


def test_branch_tree_does_not_follow_links(
    feature: Checkout, open_repo: Open, tmp_path: Path
) -> None:
    """A link stays a link, whether its target is a file, a folder, or missing."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("SECRET = 1\n")
    (feature.root / "src/escapement/folder").symlink_to(outside)
    (feature.root / "src/escapement/file.py").symlink_to(outside / "secret.py")
    (feature.root / "src/escapement/nowhere").symlink_to("gone")
    tree = open_repo(feature.root).branch_tree()
    links = {e.path.rpartition("/")[2]: e.content for e in tree.entries if e.kind == "link"}
    assert links == {
        "folder": os.fsencode(outside),
        "file.py": os.fsencode(outside / "secret.py"),
        "nowhere": b"gone",
    }
    assert not any(b"SECRET" in entry.content for entry in tree.entries)


@pytest.mark.parametrize(
    "name", ["src", "src/escapement", "harness", "harness/probe", "Dockerfile"]
)
def test_branch_tree_refuses_a_bench_or_a_runtime_that_is_a_link(
    feature: Checkout, open_repo: Open, tmp_path: Path, name: str
) -> None:
    """Their folders must be in the checkout; the error blames the branch."""
    (feature.root / name).rename(tmp_path / "elsewhere")
    (feature.root / name).symlink_to(tmp_path / "elsewhere")
    repo = open_repo(feature.root)
    with pytest.raises(BranchCannotRunError, match=f"^the branch's {name} is a link"):
        repo.branch_tree()
    with pytest.raises(BranchCannotRunError, match="is a link"):
        _base_texts(repo)


def test_branch_tree_refuses_a_pipe(feature: Checkout, open_repo: Open) -> None:
    """Reading a pipe of the context would hang."""
    os.mkfifo(feature.root / "src/escapement/pipe")
    with pytest.raises(RepoError, match="pipe is neither a file nor a folder nor a link"):
        open_repo(feature.root).branch_tree()


def test_base_tree_leaves_no_worktree(feature: Checkout, open_repo: Open, git_alone: Path) -> None:
    """During the block there is a locked one outside the checkout; then none."""
    repo = open_repo(feature.root)
    with repo.base_tree(_refs(repo), "esc-1-1-1"):
        (folder,) = feature.worktrees()[1:]
        assert Path(folder).is_relative_to(git_alone)
        assert "\nlocked esc-1-1-1" in feature.git("worktree", "list", "--porcelain")
    assert _left(feature, git_alone) == ([], [])


@pytest.mark.parametrize("ending", [ValueError("oh"), KeyboardInterrupt()])
def test_base_tree_leaves_no_worktree_after_an_exception(
    feature: Checkout, open_repo: Open, git_alone: Path, ending: BaseException
) -> None:
    """An error and Ctrl-C in a build leave nothing."""
    repo = open_repo(feature.root)
    with pytest.raises(type(ending)), repo.base_tree(_refs(repo), own_run_id()):
        raise ending
    assert _left(feature, git_alone) == ([], [])


def test_base_tree_of_a_missing_commit_is_refused(
    feature: Checkout, open_repo: Open, git_alone: Path
) -> None:
    """The error holds the last lines of git's own error."""
    repo = open_repo(feature.root)
    refs = _refs(repo)
    gone = Refs(base="0" * 40, branch=refs.branch, base_title="", branch_title="", dirty=None, how="")  # fmt: skip
    with (
        pytest.raises(RepoError, match=r"git worktree add failed with exit code 128 in .*\n  \| "),
        repo.base_tree(gone, own_run_id()),
    ):
        pass
    assert _left(feature, git_alone) == ([], [])


def test_base_tree_runs_no_hooks(feature: Checkout, open_repo: Open, tmp_path: Path) -> None:
    """No hook of the checkout runs for the bench."""
    hook = feature.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    subprocess.run(["git", "checkout", "-q", "main"], cwd=feature.root, check=True)
    assert (tmp_path / "ran").exists(), "the hook works"
    (tmp_path / "ran").unlink()
    subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "checkout", "-q", "feature"],
        cwd=feature.root,
        check=True,
    )
    _base_texts(open_repo(feature.root))
    assert not (tmp_path / "ran").exists()


def _leave(checkout: Checkout, temporary: Path, run_id: str) -> Path:
    """Leave a worktree as a killed run does."""
    folder = temporary / f"esc-bench-base-{run_id}-a1b2c3d4" / "tree"
    folder.parent.mkdir()
    checkout.git(
        "worktree", "add", "--quiet", "--detach", "--lock", "--reason", run_id, str(folder)
    )
    return folder


def test_prune_removes_what_a_killed_run_left(
    feature: Checkout, open_repo: Open, git_alone: Path
) -> None:
    """The folder may be whole, half made, or missing."""
    whole, halved, gone = (_leave(feature, git_alone, f"{DEAD}{number}") for number in range(3))
    (halved / ".git").unlink()
    gone.rename(gone.parent / "moved")
    assert set(open_repo(feature.root).prune()) == {str(whole), str(halved), str(gone)}
    assert _left(feature, git_alone) == ([], [])


def test_prune_removes_a_folder_that_git_does_not_know(
    feature: Checkout, open_repo: Open, git_alone: Path
) -> None:
    """A folder names its owner from the start; a link of such a name stays."""
    dead, link = (git_alone / f"esc-bench-base-{DEAD}-{name}" for name in ("a1b2c3d4", "linked_1"))
    alive = git_alone / f"esc-bench-base-{own_run_id()}-a1b2c3d4"
    for folder in (dead, alive):
        (folder / "tree").mkdir(parents=True)
    link.symlink_to(alive)
    assert open_repo(feature.root).prune() == [str(dead)]
    assert set(git_alone.iterdir()) == {alive, link}


def test_prune_of_a_run_removes_its_own_worktrees(
    feature: Checkout, open_repo: Open, git_alone: Path
) -> None:
    """They go though the owner is alive; those of another run stay."""
    own, other = own_run_id(), own_run_id()
    kept = _leave(feature, git_alone, other)
    left = _leave(feature, git_alone, own)
    assert open_repo(feature.root).prune(own) == [str(left)]
    assert _left(feature, git_alone) == ([str(kept)], [kept.parent])


@pytest.mark.parametrize("commit", ["", "HEAD", "--force", "g" * 40, "a" * 41])
def test_base_tree_needs_the_full_hash_of_a_commit(
    feature: Checkout, open_repo: Open, git_alone: Path, commit: str
) -> None:
    """A stored run names its base, and anybody may have edited the file."""
    repo = open_repo(feature.root)
    refs = dataclasses.replace(_refs(repo), base=commit)
    with pytest.raises(RepoError, match="is not the full hash of a commit"):
        repo.base_tree(refs, own_run_id()).__enter__()
    assert _left(feature, git_alone) == ([], [])


def test_prune_leaves_worktrees_of_living_runs_and_of_the_user(
    feature: Checkout, open_repo: Open, git_alone: Path, tmp_path: Path
) -> None:
    """A comparison beside this one keeps its worktree."""
    alive = _leave(feature, git_alone, own_run_id())
    own = tmp_path / "my worktree"
    feature.git("worktree", "add", "--quiet", "--detach", str(own))
    assert open_repo(feature.root).prune() == []
    assert set(feature.worktrees()[1:]) == {str(alive), str(own)}


def test_prune_of_a_clean_repository_removes_nothing(feature: Checkout, open_repo: Open) -> None:
    """It returns no paths."""
    assert open_repo(feature.root).prune() == []
