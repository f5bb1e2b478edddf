"""What counts as an uncommitted change, and what a repository must be."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.adapters.git.repo import GitRepo
from harness.model.errors import RepoError
from tests.builders.checkout import Checkout

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]


def _dirt(repo: GitRepo) -> str | None:
    return repo.find_sides(base="HEAD", main=None).dirty


def test_dirt_is_none_in_a_clean_tree(git_checkout: Make, open_repo: Open) -> None:
    """What is committed is no change, and neither are ignored files."""
    checkout = git_checkout()
    checkout.write(".gitignore", "*.log\n")
    checkout.commit("ignore")
    checkout.write("x.log", "")
    assert _dirt(open_repo(checkout.root)) is None


@pytest.mark.parametrize("path", ["new.py", "src/escapement/new.py", "a \n\"b'é.py", "resultsx/y"])
def test_dirt_sees_untracked_files(git_checkout: Make, open_repo: Open, path: str) -> None:
    """A new file is a change, by its name and by its content."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    checkout.write(path, "1")
    one = _dirt(repo)
    checkout.write(path, "2")
    two = _dirt(repo)
    (checkout.root / path).rename(checkout.root / "renamed")
    three = _dirt(repo)
    assert None not in {one, two, three}
    assert len({one, two, three}) == 3


def test_dirt_sees_changes_staged_or_not(git_checkout: Make, open_repo: Open) -> None:
    """The same change has the same hash, in the index or out of it."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    checkout.write("src/escapement/pump.py", "SPEED = 9\n")
    unstaged = _dirt(repo)
    checkout.git("add", "--all")
    assert unstaged is not None
    assert _dirt(repo) == unstaged


def test_dirt_sees_a_mode_and_a_deletion(git_checkout: Make, open_repo: Open) -> None:
    """An executable bit and a file that is gone are changes."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    (checkout.root / "src/escapement/pump.py").chmod(0o755)
    mode = _dirt(repo)
    (checkout.root / "src/escapement/pump.py").unlink()
    gone = _dirt(repo)
    assert None not in {mode, gone}
    assert mode != gone


def test_dirt_sees_a_link_by_its_target(git_checkout: Make, open_repo: Open) -> None:
    """An untracked link is not followed: a link to nowhere counts by where it leads."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    found = set()
    for target in ("nowhere", "elsewhere", "src"):
        link = checkout.root / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        found.add(_dirt(repo))
    assert len(found) == 3


def test_dirt_leaves_results_out(git_checkout: Make, open_repo: Open) -> None:
    """What the bench itself writes changes no subject, tracked or not, seen from any folder."""
    checkout = git_checkout()
    checkout.write("results/reference/table.md", "old")
    checkout.commit("results")
    checkout.write("results/reference/table.md", "new")
    checkout.write("results/20261130T120000Z-x/table.md", "")
    assert _dirt(open_repo(checkout.root / "src")) is None


def test_repo_is_found_from_a_folder_in_it(git_checkout: Make, open_repo: Open) -> None:
    """The root is the checkout's, wherever the person stands."""
    checkout = git_checkout()
    assert open_repo(checkout.root / "src" / "escapement").root == checkout.root


def test_repo_refuses_a_folder_outside_of_one(tmp_path: Path, git_alone: Path) -> None:
    """The folder is named, and what to do."""
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
    """Nothing has been committed: there is no HEAD to compare."""
    del git_alone
    root = tmp_path / "empty"
    root.mkdir()
    Checkout(root).git("init", "--quiet", "--initial-branch=main")
    with pytest.raises(RepoError, match=r"^HEAD: 'HEAD' is not a commit of "):
        open_repo(root).find_sides(base=None, main=None)


def test_repo_tells_what_git_says_when_it_fails(git_checkout: Make, open_repo: Open) -> None:
    """A broken repository is git's error, with git's last words."""
    checkout = git_checkout()
    (checkout.root / ".git" / "index").write_text("no index")
    with pytest.raises(RepoError, match=r"^git diff failed with exit code 128 in .*\n  \| "):
        _dirt(open_repo(checkout.root))


def test_repo_tells_when_there_is_no_git(
    git_checkout: Make, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without git is told so."""
    repo = open_repo(git_checkout().root)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RepoError, match="git is not on PATH"):
        _dirt(repo)


def test_repo_titles_can_be_stored(git_checkout: Make, open_repo: Open) -> None:
    """A commit message that is no UTF-8 becomes text that can be written."""
    checkout = git_checkout()
    message = checkout.root / ".git" / "message"
    message.write_bytes(b"caf\xe9 | `x`\n")
    checkout.git("commit", "--quiet", "--allow-empty", f"--file={message}")
    title = open_repo(checkout.root).find_sides(base="HEAD", main=None).branch_title
    assert title.startswith("caf")
    assert title.endswith(" | `x`")
    assert msgspec.json.decode(msgspec.json.encode(title)) == title
