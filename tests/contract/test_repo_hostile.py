"""Hostile repositories: nothing of theirs runs, and every read is bounded."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.adapters.git import git as git_command
from harness.adapters.git.repo import GitRepo
from harness.adapters.host.owner import own_run_id
from harness.model.errors import RepoError
from tests.builders.checkout import Checkout
from tests.subjects.hostile_checkout import (
    Trap,
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
    """Return a checkout on a branch that is one commit above main."""
    checkout = git_checkout()
    checkout.git("switch", "--quiet", "--create", "feature")
    checkout.commit("Pump by waking", pump="SPEED = 2\n")
    return checkout


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """Return a program that records its calls."""
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
    """No hook, filter, monitor, pager, signature check or submodule runs."""
    make(feature, trap)
    feature.write("src/escapement/pump.py", "SPEED = 4\n")
    trap.sprung()
    _use_all(open_repo(feature.root))
    assert trap.sprung() == ""
    assert len(feature.worktrees()) == 1


def test_repo_traps_work(git_checkout: Make, trap: Trap) -> None:
    """Plain git does run the programs of the previous test."""
    for make, does in ((set_hooks, "checkout"), (set_filters, "diff"), (set_programs, "diff")):
        checkout = git_checkout(make.__name__)
        make(checkout, trap)
        checkout.write("Dockerfile", "FROM newer\n")
        trap.sprung()
        subprocess.run(["git", does], cwd=checkout.root, capture_output=True, check=False)
        assert trap.sprung() != "", make


def test_repo_ignores_the_git_variables_of_a_hook(
    feature: Checkout,
    git_checkout: Make,
    open_repo: Open,
    trap: Trap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would name another repository, or a program."""
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


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("fatal: detected dubious ownership in repository at '/x'", "belongs to another user"),
        ("fatal: could not fetch 0 from promisor remote", "is a partial clone"),
    ],
)
def test_repo_that_git_refuses_is_explained(
    feature: Checkout,
    open_repo: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    expected: str,
) -> None:
    """The error is one line with a remedy, and is not mistaken for an unknown ref."""
    repo = open_repo(feature.root)
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    settings = '[ "$1" = config ] && printf "esc-bench.quiet\\0" && exit 0'
    program.write_text(f'#!/bin/sh\n{settings}\necho "{said}" >&2\nexit 128\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(RepoError, match=expected) as caught:
        repo.find_sides(base=None, main=None)
    assert len(str(caught.value).splitlines()) == 1


def test_repo_needs_a_git_that_reads_our_settings(
    feature: Checkout, open_repo: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older git could run programs of the branch, so no command is run with it."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(RepoError, match=r"install git 2\.31 or newer$"):
        open_repo(feature.root).find_sides(base=None, main=None)


def test_repo_has_one_place_that_runs_git() -> None:
    """One module runs git; GitPython only finds the repository."""
    harness = Path(git_command.__file__).parents[2]
    texts = {"/".join(path.parts[-2:]): path.read_text() for path in harness.rglob("*.py")}
    assert [name for name, text in texts.items() if '["git"' in text] == ["git/git.py"]
    assert [name for name, text in texts.items() if "\nimport git\n" in text] == ["git/repo.py"]


def test_repo_fetches_nothing_into_a_partial_clone(
    feature: Checkout, open_repo: Open, tmp_path: Path
) -> None:
    """Missing objects are reported, and no transport starts."""
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


def test_repo_with_endless_output_is_refused(
    feature: Checkout, open_repo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output of git is bounded."""
    monkeypatch.setattr(git_command, "_LONGEST_BYTES", 20)
    with pytest.raises(RepoError, match=r"^git rev-parse printed more than 0 MiB in "):
        open_repo(feature.root).find_sides(base=None, main=None)


def test_repo_that_was_moved_is_reported_as_gone(feature: Checkout, open_repo: Open) -> None:
    """It is not mistaken for a missing git."""
    repo = open_repo(feature.root)
    feature.root.rename(feature.root.parent / "moved")
    with pytest.raises(RepoError, match=r"is gone$"):
        repo.find_sides(base=None, main=None)


@pytest.mark.parametrize("options", ["--sparse", "--no-checkout"])
def test_base_tree_is_whole_in_a_sparse_checkout(
    feature: Checkout, open_repo: Open, tmp_path: Path, options: str
) -> None:
    """The base holds the files that the checkout leaves out."""
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
    """No ref acts as an option, a range or a search; each error is a short line."""
    repo = open_repo(git_checkout().root)
    for ref in NO_COMMITS:
        given = {"base": None, "main": None} | {flag: ref}
        with pytest.raises(RepoError) as caught:
            repo.find_sides(**given)
        text = str(caught.value)
        assert text.startswith(f"--{flag}: ")
        assert text.isprintable()
        assert len(text) < 1000


def test_repo_accepts_every_name_of_a_commit(git_checkout: Make, open_repo: Open) -> None:
    """Searches, reflogs, tags, and names that look like options are commits."""
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
    """A tag of a file or a folder cannot be compared."""
    checkout = git_checkout()
    repo = open_repo(checkout.root)
    for what in ("HEAD:Dockerfile", "HEAD:src"):
        checkout.git("tag", "--force", "odd", what)
        with pytest.raises(RepoError, match=r"^--base: 'odd' is not a commit of "):
            repo.find_sides(base="odd", main=None)


def test_repo_refuses_a_name_of_a_branch_and_a_tag(feature: Checkout, open_repo: Open) -> None:
    """Git would silently use the tag, which anybody may have pushed."""
    feature.git("branch", "v1", "HEAD~1")
    feature.git("tag", "v1", "HEAD")
    repo = open_repo(feature.root)
    with pytest.raises(RepoError, match=r"^--base: 'v1' is a branch and a tag, of two commits — "):
        repo.find_sides(base="v1", main=None)
    assert repo.find_sides(base="refs/heads/v1", main=None).base != feature.head


@pytest.mark.parametrize("main", [None, "main"])
def test_repo_never_uses_a_tag_as_the_default_branch(
    feature: Checkout, open_repo: Open, main: str | None
) -> None:
    """A tag of that name does not choose the base."""
    base = feature.git("rev-parse", "main")
    feature.git("tag", "main", "HEAD")
    refs = open_repo(feature.root).find_sides(base=None, main=main)
    assert (refs.base, refs.how) == (base, "the merge-base with main")


def test_repo_cuts_long_titles_and_refs(git_checkout: Make, open_repo: Open) -> None:
    """A title of 10 KB and a long search fit into a table."""
    checkout = git_checkout()
    checkout.commit("x" * 10_000)
    refs = open_repo(checkout.root).find_sides(base=f":/{'x' * 1000}", main=None)
    assert refs.branch_title == "x" * 199 + "…"
    assert len(refs.how) < 220
