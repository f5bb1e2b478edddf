"""Refs and folders of any name in a real repository: a commit or an error."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from harness.adapters.git.repo import GitRepo
from harness.model.errors import RepoError
from tests.builders.checkout import Checkout
from tests.property.hostile import HOSTILE, effort, see_that_it_is_clear

OPTIONS = st.sampled_from(
    [
        *(
            "--help",
            "-h",
            "--output=proof",
            "--upload-pack=touch proof",
            "--exec=touch proof",
            "--",
        ),
        *(
            "--end-of-options",
            "--git-dir=.",
            "--all",
            "--not",
            "-",
            "@",
            "@{0}",
            "HEAD@{999999}",
            "HEAD^{tree}",
        ),
        *(
            "HEAD~99999999999999999999",
            "HEAD^9999999999",
            ":/x",
            ":/!-",
            ":0:file",
            "HEAD:",
            "^HEAD",
            "HEAD..",
            "HEAD...HEAD",
        ),
        *(
            "$(touch proof)",
            "`touch proof`",
            "; touch proof",
            "| touch proof",
            "refs/../../x",
            "HEAD\n--all",
            "HEAD HEAD",
            "e3b0c442",
            "0" * 40,
        ),
    ]
)


@pytest.fixture
def repo(git_checkout: Callable[..., Checkout]) -> Iterator[GitRepo]:
    """Yield a real repository of two commits."""
    checkout = git_checkout()
    checkout.commit("the second commit")
    with closing(GitRepo(checkout.root)) as opened:
        yield opened


@effort(12, 300)
@given(ref=OPTIONS | HOSTILE, is_main=st.booleans())
@example(ref="\ud800", is_main=False)
@example(ref="x" * 300_000, is_main=False)
def test_refs_are_commits_or_refused(repo: GitRepo, ref: str, *, is_main: bool) -> None:
    """A ref is the hash of a commit or an error, and nothing is run or written."""
    before = sorted(path.name for path in repo.root.iterdir())
    try:
        refs = repo.find_sides(base=None if is_main else ref, main=ref if is_main else None)
    except RepoError as error:
        see_that_it_is_clear(error)
    else:
        assert len(refs.base) == 40
        assert set(refs.base) <= set("0123456789abcdef")
    assert sorted(path.name for path in repo.root.iterdir()) == before


@effort(20, 2000)
@given(
    folder=HOSTILE | st.sampled_from(["/", "/proc/1/root", "/dev/null", "~", "$HOME", "x" * 5000])
)
@example(folder="a\0b")
@example(folder="\ud800")
def test_folders_are_checkouts_or_refused(tmp_path: Path, folder: str) -> None:
    """A folder of any name that is no checkout is refused."""
    with pytest.raises(RepoError) as caught:
        GitRepo(tmp_path / folder)
    see_that_it_is_clear(caught.value)
