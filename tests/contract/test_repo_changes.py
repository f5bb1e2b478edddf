"""Uncommitted changes, and the requirements on a repository."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.adapters.git.repo import GitRepo
from harness.model.errors import RepoError
from tests.builders.checkout import Checkout

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]


def _changes(repo: GitRepo) -> str | None:
    return repo.find_sides(base="HEAD", main=None).dirty


def test_changes_of_a_clean_tree_are_none(git_checkout: Make, open_repo: Open) -> None:
    """Committed and ignored files are no changes."""
    checkout = git_checkout()
    checkout.write(".gitignore", "*.log\n")
    checkout.commit("ignore")
    checkout.write("x.log", "")
    assert _changes(open_repo(checkout.root)) is None


@pytest.mark.parametrize("path", ["new.py", "src/escapement/new.py", "a \n\"b'é.py", "resultsx/y"])
def test_changes_include_untracked_files(git_checkout: Make, open_repo: Open, path: str) -> None:
    """A new file changes the hash by its name and by its content."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    checkout.write(path, "1")
    one = _changes(repo)
    checkout.write(path, "2")
    two = _changes(repo)
    (checkout.root / path).rename(checkout.root / "renamed")
    three = _changes(repo)
    assert None not in {one, two, three}
    assert len({one, two, three}) == 3


def test_changes_are_the_same_staged_or_not(git_checkout: Make, open_repo: Open) -> None:
    """The index does not affect the hash."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    checkout.write("src/escapement/pump.py", "SPEED = 9\n")
    unstaged = _changes(repo)
    checkout.git("add", "--all")
    assert unstaged is not None
    assert _changes(repo) == unstaged


def test_changes_include_a_mode_and_a_deletion(git_checkout: Make, open_repo: Open) -> None:
    """An executable bit and a deleted file change the hash."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    (checkout.root / "src/escapement/pump.py").chmod(0o755)
    mode = _changes(repo)
    (checkout.root / "src/escapement/pump.py").unlink()
    gone = _changes(repo)
    assert None not in {mode, gone}
    assert mode != gone


def test_changes_include_the_target_of_a_link(git_checkout: Make, open_repo: Open) -> None:
    """An untracked link is not followed: its target is hashed as text."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    found = set()
    for target in ("nowhere", "elsewhere", "src"):
        link = checkout.root / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        found.add(_changes(repo))
    assert len(found) == 3


def test_changes_leave_results_out(git_checkout: Make, open_repo: Open) -> None:
    """Results are no changes, tracked or not, seen from any folder."""
    checkout = git_checkout()
    checkout.write("results/reference/table.md", "old")
    checkout.commit("results")
    checkout.write("results/reference/table.md", "new")
    checkout.write("results/20261130T120000Z-x/table.md", "")
    assert _changes(open_repo(checkout.root / "src")) is None


def test_repo_is_found_from_a_folder_in_it(git_checkout: Make, open_repo: Open) -> None:
    """Its root is the root of the checkout."""
    checkout = git_checkout()
    assert open_repo(checkout.root / "src" / "escapement").root == checkout.root


def test_repo_refuses_a_folder_outside_of_one(tmp_path: Path, git_alone: Path) -> None:
    """The error names the folder and the remedy."""
    del git_alone
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RepoError) as caught:
            GitRepo(folder)
        assert str(caught.value) == (
            f"{folder} is not in a git repository — run it in a checkout, or name one with --repo DIR"
        )


def test_repo_refuses_a_bare_repository(git_checkout: Make, tmp_path: Path) -> None:
    """Without a working tree there is no branch side."""
    checkout = git_checkout()
    checkout.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(RepoError, match="is a bare repository"):
        GitRepo(tmp_path / "bare")


def test_repo_refuses_one_without_a_commit(
    tmp_path: Path, git_alone: Path, open_repo: Open
) -> None:
    """There is no HEAD to compare."""
    del git_alone
    root = tmp_path / "empty"
    root.mkdir()
    Checkout(root).git("init", "--quiet", "--initial-branch=main")
    with pytest.raises(RepoError, match=r"^HEAD: 'HEAD' is not a commit of "):
        open_repo(root).find_sides(base=None, main=None)


def test_repo_that_is_broken_is_refused_with_the_error_of_git(
    git_checkout: Make, open_repo: Open
) -> None:
    """The last lines of git's own error are shown."""
    checkout = git_checkout()
    (checkout.root / ".git" / "index").write_text("no index")
    with pytest.raises(RepoError, match=r"^git diff failed with exit code 128 in .*\n  \| "):
        _changes(open_repo(checkout.root))


def test_repo_without_git_is_refused(
    git_checkout: Make, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error states that git is not on PATH."""
    repo = open_repo(git_checkout().root)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RepoError, match="git is not on PATH"):
        _changes(repo)


def test_repo_titles_can_be_stored(git_checkout: Make, open_repo: Open) -> None:
    """A commit message in another encoding becomes text that can be stored."""
    checkout = git_checkout()
    message = checkout.root / ".git" / "message"
    message.write_bytes(b"caf\xe9 | `x`\n")
    checkout.git("commit", "--quiet", "--allow-empty", f"--file={message}")
    title = open_repo(checkout.root).find_sides(base="HEAD", main=None).branch_title
    assert title.startswith("caf")
    assert title.endswith(" | `x`")
    assert msgspec.json.decode(msgspec.json.encode(title)) == title
