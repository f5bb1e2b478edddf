"""The two commits of a comparison, over the fake repository and real ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.git.repo import GitRepo
from harness.adapters.host.owner import own_run_id
from harness.model.errors import RepoError
from harness.verbs.ports import Repo
from tests.builders.checkout import Checkout
from tests.builders.model import BASE_COMMIT, BRANCH_COMMIT
from tests.fakes.fake_repo import FakeRepo

Open = Callable[[Path], GitRepo]
Make = Callable[..., Checkout]


@pytest.fixture(params=["fake", "git"])
def two_commits(
    request: pytest.FixtureRequest, git_checkout: Make, open_repo: Open
) -> tuple[Repo, str, str]:
    """Return each kind of repository: a commit on main, and one on a branch."""
    if request.param == "fake":
        return FakeRepo(), BASE_COMMIT, BRANCH_COMMIT
    checkout = git_checkout()
    checkout.commit("Pump by polling")
    base = checkout.head
    checkout.git("switch", "--quiet", "--create", "feature")
    return open_repo(checkout.root), base, checkout.commit("Pump by waking", pump="SPEED = 2\n")


def test_repo_compares_with_the_merge_base(two_commits: tuple[Repo, str, str]) -> None:
    """Without --base, the base is the merge-base with the default branch."""
    repo, base, branch = two_commits
    refs = repo.find_sides(base=None, main=None)
    assert (refs.base, refs.branch) == (base, branch)
    assert (refs.base_title, refs.branch_title) == ("Pump by polling", "Pump by waking")
    assert (refs.dirty, refs.how) == (None, "the merge-base with main")


def test_repo_compares_with_a_given_ref(two_commits: tuple[Repo, str, str]) -> None:
    """--base names the base, even if it is the branch's own commit."""
    repo, base, branch = two_commits
    assert repo.find_sides(base="HEAD", main=None).base == branch
    refs = repo.find_sides(base="HEAD~1", main=None)
    assert (refs.base, refs.how) == (base, "--base HEAD~1")


@pytest.mark.parametrize("ref", ["nope", "--help", "-x", "", "HEAD:src", "a b", "HEAD\0"])
@pytest.mark.parametrize("flag", ["base", "main"])
def test_repo_refuses_a_ref_that_is_no_commit(
    two_commits: tuple[Repo, str, str], flag: str, ref: str
) -> None:
    """The error names the flag of an option, a tree, or an empty ref."""
    given = {"base": None, "main": None} | {flag: ref}
    with pytest.raises(RepoError) as caught:
        two_commits[0].find_sides(**given)
    assert caught.value.what.startswith(f"--{flag}: {ref!r} is not a commit of ")


def test_repo_returns_the_trees_of_both_sides(two_commits: tuple[Repo, str, str]) -> None:
    """Each tree holds its own runtime; the bench is the same."""
    repo = two_commits[0]
    refs = repo.find_sides(base=None, main=None)
    with repo.base_tree(refs, "esc-1-1-1") as base:
        branch = repo.branch_tree()
        assert base.subject_hash != branch.subject_hash
        assert base.gauge_hash == branch.gauge_hash


def _sides(open_repo: Open, checkout: Checkout, **given: str | None) -> tuple[str, str]:
    refs = open_repo(checkout.root).find_sides(**({"base": None, "main": None} | given))
    return refs.base, refs.how


def test_repo_on_main_compares_with_the_first_parent(git_checkout: Make, open_repo: Open) -> None:
    """A clean default branch shows the effect of its last commit."""
    checkout = git_checkout()
    first = checkout.head
    checkout.git("switch", "--quiet", "--create", "side")
    checkout.commit("aside")
    checkout.git("switch", "--quiet", "main")
    checkout.git("merge", "--quiet", "--no-ff", "--message=merged", "side")
    assert _sides(open_repo, checkout) == (first, "on main: compared with its first parent")


def test_repo_on_main_compares_uncommitted_changes_with_head(
    git_checkout: Make, open_repo: Open
) -> None:
    """A default branch with changes shows the effect of the changes."""
    checkout = git_checkout()
    checkout.commit("second")
    checkout.write("src/escapement/pump.py", "SPEED = 9\n")
    expected = "on main with uncommitted changes: compared with HEAD"
    assert _sides(open_repo, checkout) == (checkout.head, expected)


def test_repo_at_its_first_commit_compares_it_with_itself(
    git_checkout: Make, open_repo: Open
) -> None:
    """A root commit has no parent: the run is A/A, and its `how` is the reason."""
    checkout = git_checkout()
    expected = "on main at its first commit: compared with itself"
    assert _sides(open_repo, checkout) == (checkout.head, expected)


def test_repo_with_a_detached_head_at_the_tip_is_on_the_default_branch(
    git_checkout: Make, open_repo: Open
) -> None:
    """CI checks commits out without their branch."""
    checkout = git_checkout()
    first = checkout.head
    checkout.commit("second")
    checkout.git("switch", "--quiet", "--detach")
    assert _sides(open_repo, checkout) == (first, "on main: compared with its first parent")


def test_repo_with_a_detached_head_elsewhere_compares_with_the_merge_base(
    git_checkout: Make, open_repo: Open
) -> None:
    """The commit of a pull request is compared with its merge-base."""
    checkout = git_checkout()
    base = checkout.head
    checkout.git("switch", "--quiet", "--detach")
    checkout.commit("aside")
    assert _sides(open_repo, checkout) == (base, "the merge-base with main")


def test_repo_on_a_new_branch_compares_with_head(git_checkout: Make, open_repo: Open) -> None:
    """A branch without commits has uncommitted changes alone to compare."""
    checkout = git_checkout()
    checkout.commit("second")
    checkout.git("switch", "--quiet", "--create", "feature")
    assert _sides(open_repo, checkout) == (checkout.head, "the merge-base with main")


def test_repo_ignores_later_commits_of_main(git_checkout: Make, open_repo: Open) -> None:
    """Commits of others on main after the merge-base are not compared."""
    checkout = git_checkout()
    base = checkout.head
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("mine")
    checkout.git("switch", "--quiet", "main")
    checkout.commit("theirs")
    checkout.git("switch", "--quiet", "feature")
    assert _sides(open_repo, checkout) == (base, "the merge-base with main")


def test_repo_refuses_two_merge_bases(git_checkout: Make, open_repo: Open) -> None:
    """Two branches that merged each other have no single merge-base."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    mine = checkout.commit("mine", mine="")
    checkout.git("switch", "--quiet", "main")
    checkout.commit("theirs", theirs="")
    checkout.git("merge", "--quiet", "--message=one", mine)
    checkout.git("switch", "--quiet", "feature")
    checkout.git("merge", "--quiet", "--message=two", "main~1")
    checkout.commit("more")
    with pytest.raises(RepoError) as caught:
        _sides(open_repo, checkout)
    assert str(caught.value) == (
        "HEAD and main have 2 merge-bases — name the commit to compare with: --base REF"
    )


def test_repo_refuses_unrelated_histories(git_checkout: Make, open_repo: Open) -> None:
    """Without a common commit there is no base."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--orphan", "feature")
    checkout.commit("alone")
    with pytest.raises(RepoError) as caught:
        _sides(open_repo, checkout)
    assert str(caught.value) == (
        "HEAD and main have no merge-base — name the commit to compare with: --base REF"
    )


def test_repo_uses_the_branch_of_main(git_checkout: Make, open_repo: Open) -> None:
    """--main names the default branch, which may have any name."""
    checkout = git_checkout(branch="trunk")
    base = checkout.head
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("mine")
    assert _sides(open_repo, checkout, main="trunk") == (base, "the merge-base with trunk")
    with pytest.raises(RepoError, match="no default branch: tried main, origin/main, origin/HEAD"):
        _sides(open_repo, checkout)


def _clone(checkout: Checkout, *options: str, name: str = "clone") -> Checkout:
    target = checkout.root.parent / name
    checkout.git("clone", "--quiet", *options, f"file://{checkout.root}", str(target))
    return Checkout(target)


@pytest.mark.parametrize("main", [None, "origin/trunk", "trunk"])
def test_repo_on_the_default_branch_of_a_clone_compares_with_the_first_parent(
    git_checkout: Make, open_repo: Open, main: str | None
) -> None:
    """origin/HEAD finds a default branch of another name."""
    origin = git_checkout(branch="trunk")
    first = origin.head
    origin.commit("second")
    base, how = _sides(open_repo, _clone(origin), main=main)
    assert base == first
    assert how.endswith(": compared with its first parent")


def test_repo_finds_the_default_branch_of_a_clone(git_checkout: Make, open_repo: Open) -> None:
    """A clone without a local main uses the main of its remote."""
    origin = git_checkout()
    base = origin.head
    origin.git("switch", "--quiet", "--create", "feature")
    origin.commit("mine")
    clone = _clone(origin, "--branch=feature")
    assert _sides(open_repo, clone) == (base, "the merge-base with origin/main")


@pytest.mark.parametrize("options", [(), ("--branch=feature", "--no-single-branch")])
def test_repo_that_is_shallow_is_refused_with_the_remedy(
    git_checkout: Make, open_repo: Open, options: tuple[str, ...]
) -> None:
    """A missing history is not a root commit, and not an unrelated history."""
    origin = git_checkout()
    origin.commit("second")
    origin.git("switch", "--quiet", "--create", "feature", "HEAD~1")
    origin.commit("mine")
    origin.git("switch", "--quiet", "main")
    clone = _clone(origin, "--depth=1", *options)
    with pytest.raises(RepoError) as caught:
        _sides(open_repo, clone)
    assert str(caught.value).endswith(" — this clone is shallow: git fetch --unshallow")


@pytest.mark.parametrize(
    "name", ["-x", "with space", "new\nline", "$HOME", "~", "%PATH%", "\udcff"]
)
def test_repo_may_be_in_a_folder_of_any_name(
    git_checkout: Make, open_repo: Open, name: str
) -> None:
    """No part of the path acts as an option, a variable or a command."""
    checkout = git_checkout(name)
    checkout.commit("second")
    repo = open_repo(checkout.root)
    refs = repo.find_sides(base=None, main=None)
    with repo.base_tree(refs, own_run_id()) as tree:
        assert tree.holds("Dockerfile")
    assert repo.root == checkout.root


@pytest.mark.parametrize("name", ["a file", "x" * 300, "nul\0"])
def test_repo_refuses_a_path_that_is_no_folder(tmp_path: Path, git_alone: Path, name: str) -> None:
    """A file, a name that is too long, and an impossible name are no checkouts."""
    del git_alone
    (tmp_path / "a file").write_text("")
    with pytest.raises(RepoError, match="is not in a git repository"):
        GitRepo(tmp_path / name)
