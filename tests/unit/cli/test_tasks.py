"""The verbs: what they are, and which exit code each way to fail has."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.program import Program

import tasks
from harness.cli import wiring
from harness.model import errors
from harness.model.errors import HarnessError
from harness.verbs.compare import compare
from tests.builders.checkout import Checkout
from tests.builders.world import FakeWorld, make_request, make_world
from tests.fakes.fake_box import holds_up_to

ROOT = Path(tasks.__file__).parent
ALL_ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, HarnessError)
]

LIST = """\
Available tasks:

  arms         List the arms, and the toggles that change them.
  base-image   Make a base image from Debian's packages, as root, without a
               registry.
  build        Build both sides, as esc-bench:base and esc-bench:branch,
               without a run.
  clean        Remove what killed runs left: worktrees, containers, files,
               locks, builds.
  compare      Build merge-base and branch, ramp both side by side, and print
               the table.
  cost         Count the cost of a turn and a session: instructions, memory,
               system calls.
  doctor       Report what this machine can run, and what may distort the
               numbers.
  gate         Decide whether your branch may be merged: exact costs, pairs of
               cells, a verdict.
  goals        Build the checkout, measure the speed goals, and print their
               table.
  ramp         Ramp one build, the checkout or --image, until it breaks, and
               print its table.
  report       Print the table of a stored run again, recomputed from its
               cells.
  selftest     Prove the gate: identical builds must pass, injected regressions
               be caught.

"""

Invoke = Callable[..., int]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    """Return a function that runs Invoke and returns its exit code."""
    monkeypatch.setenv("HOME", str(tmp_path))  # no ~/.invoke.yaml
    monkeypatch.setenv("CPUS", "1")  # which every host has

    def run(*words: str) -> int:
        program = Program(namespace=tasks.ns, version="0")
        try:
            program.run(["invoke", *words])
        except SystemExit as ending:
            return int(str(ending.code))
        return 0

    return run


def test_tasks_list_themselves() -> None:
    """`invoke --list` is the first thing that a person reads."""
    command = [sys.executable, "-m", "invoke", "--list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == LIST


def test_tasks_load_nothing_heavy_to_list_themselves() -> None:
    """Heavy imports wait for the task that needs them."""
    heavy = ("scipy", "docker", "git", "psutil", "rich", "harness.verbs", "harness.adapters")
    code = f"import sys, tasks; print([name for name in sys.modules if name.startswith({heavy})])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_tasks_print_to_standard_output(
    invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output of a task can be piped."""
    assert invoke("arms") == 0
    out, err = capsys.readouterr()
    assert out.startswith("| arm ")
    assert err == ""


def _raising(ending: BaseException) -> Callable[[object], None]:
    def raise_it(_: object) -> None:
        raise ending

    return raise_it


@pytest.mark.parametrize("kind", ALL_ERRORS)
@pytest.mark.parametrize("verb", ["compare", "cost", "ramp", "goals"])
def test_tasks_end_in_the_code_of_their_error(
    verb: str,
    kind: type[HarnessError],
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each error is one clear line on standard error and its own exit code."""
    monkeypatch.setattr(wiring, "make_request", _raising(kind("it is so", hint="do this")))
    assert invoke(verb) == kind.exit_code
    assert capsys.readouterr() == ("", "it is so — do this\n")


def test_tasks_end_in_130_when_interrupted(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is told from a failure of the subject."""
    monkeypatch.setattr(wiring, "make_request", _raising(KeyboardInterrupt()))
    assert invoke("compare") == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_tasks_end_in_70_with_a_traceback_when_the_bench_is_at_fault(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unforeseen error shows a traceback, and is no verdict."""
    monkeypatch.setattr(wiring, "make_request", _raising(ZeroDivisionError("oh")))
    assert invoke("compare") == 70
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.endswith("internal error, please report it: ZeroDivisionError('oh')\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "--arm", "nope"], "--arm: there is no arm 'nope'"),
        (["ramp", "--levels", "2,1"], "--levels: 2,1 does not ascend"),
        (["compare", "--branch-arm", "nope"], "--branch-arm: there is no arm 'nope'"),
        (["goals", "--repeats", "0"], "--repeats: '0' is not a whole number of at least 1"),
        (["compare", "--base-env", "X"], "--base-env: 'X' is not a setting"),
        (["compare", "--env", "A=1", "--env", "2=B"], "--env: '2=B' is not a setting"),
        (["compare", "--timeout", "never"], "--timeout: 'never' is not a duration"),
        (["compare", "--resume", "nope"], "results/nope is not the folder of a run: "),
        *(
            (
                [verb, "--resume", "nope", *words],
                f"{words[0]} is part of the stored plan and cannot be combined with --resume",
            )
            for verb, *words in (
                ("compare", "--levels", "5"),
                ("compare", "--arm", "hand"),
                ("compare", "--no-warm-up"),
                ("compare", "--env", "A=1"),
                ("ramp", "--image", "x"),
                ("gate", "--quick"),
                ("gate", "--no-costs"),
                ("goals", "--repeats", "3"),
            )
        ),
    ],
)
def test_tasks_end_in_2_for_what_cannot_be_used(
    words: list[str], message: str, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    """A usage error is found before git or the engine is asked."""
    assert invoke(*words) == 2
    assert capsys.readouterr().err.removeprefix(f"{ROOT}/").startswith(message)


def test_tasks_read_invokes_own_environment(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """INVOKE_* reaches the settings, and is named when it is wrong."""
    monkeypatch.delenv("CPUS")
    monkeypatch.setenv("INVOKE_CPUS", "lots")
    assert invoke("compare") == 2
    assert capsys.readouterr().err.startswith("INVOKE_CPUS: 'lots' is not a number above 0")


@pytest.mark.parametrize("verb", ["compare", "cost", "ramp", "goals", "build", "clean"])
def test_tasks_end_in_10_outside_a_checkout(
    verb: str, invoke: Invoke, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a repository there is nothing to compare."""
    assert invoke(verb, "--repo", str(tmp_path)) == 10
    assert capsys.readouterr().err == (
        f"{tmp_path} is not in a git repository — run it in a checkout, or name one with --repo DIR\n"
    )


def test_tasks_end_in_12_without_an_engine(
    invoke: Invoke,
    git_checkout: Callable[..., Checkout],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An engine that does not answer is told with where it was looked for."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert invoke("compare", "--box", "docker", "--repo", str(git_checkout().root)) == 12
    err = capsys.readouterr().err
    assert err.startswith("no Docker engine answers at tcp://127.0.0.1:1: ")
    assert err.count("\n") == 1


@pytest.mark.slow
def test_cost_needs_no_engine_and_no_countable_side(
    invoke: Invoke,
    git_checkout: Callable[..., Checkout],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The table names sides that cannot be counted; the exit code is 0."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert invoke("cost", "--repo", str(git_checkout().root), "--base", "HEAD") == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "## sc-ckpt: exact costs\n\n**Nothing could be compared: see the missing counters below.**\n"
    )
    assert "- Compared: **A/A**" in out
    for side in ("base", "branch"):
        assert f"- **Missing**: the {side} cannot be counted: it ended with exit code 1: " in out


def test_report_prints_a_stored_run_again(
    invoke: Invoke, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table derived from the stored cells is the one that the run printed."""
    fakes: FakeWorld = make_world(base=holds_up_to(1000))
    fakes.store = wiring.open_store(tmp_path)  # type: ignore[assignment]  # the real one
    shown = compare(fakes.world, make_request(1000, 2000))
    (table,) = (tmp_path / "results").glob("*/table.md")
    capsys.readouterr()
    assert invoke("report", str(table.parent)) == 0
    assert capsys.readouterr().out == shown
    assert table.read_text() == shown


def test_report_of_a_folder_that_is_no_run_is_a_usage_error(
    invoke: Invoke, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is named, and how one is given."""
    assert invoke("report", str(tmp_path)) == 2
    assert capsys.readouterr().err.startswith(f"{tmp_path} is not the folder of a run: ")


@pytest.mark.slow
def test_tasks_whose_reader_is_gone_end_in_one_line() -> None:
    """A closed pipe ends in one line, without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "arms"],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "standard output was closed\n")


@pytest.mark.slow
def test_tasks_print_their_table_in_any_encoding() -> None:
    """A terminal without the letter is shown its code, and not an error."""
    done = subprocess.run(
        [sys.executable, "-m", "invoke", "report", "results/reference/gate-twenty-times"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ok \\u2014 1.03\\xd7 latency-infl" in done.stdout
