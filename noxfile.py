"""Checks in clean environments, and the bench's own `ramp`, `compare`, `gate` and `bench`, which hand their arguments to Invoke."""

import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"  # a Python that is not here is skipped, and in CI an error
nox.options.sessions = ["lint", "types", "tests", "minimums", "docs", "wheel"]

PYTHONS = ["3.11", "3.12", "3.13"]
OLDEST = PYTHONS[0]
PROJECT = nox.project.load_toml("pyproject.toml")
BENCH = PROJECT["project"]["optional-dependencies"]["bench"]
CLOJURE = PROJECT["project"]["optional-dependencies"]["clojure"]


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, name))


@nox.session(python=PYTHONS, allow_parallel=True)
def tests(session: nox.Session) -> None:
    """Run all tests that need no Docker engine; the coverage figure is of the oldest Python."""
    session.install(*BENCH, *CLOJURE, *_group("test"))
    if session.python == OLDEST:
        session.run("coverage", "run", "-m", "pytest", *session.posargs)
        session.run("coverage", "report")
        # what touches no world has no excuse; the verbs' frame closes a standard output that nobody reads, in a process of its own
        pure = (
            "--include=harness/*",
            "--omit=harness/adapters/*,harness/probe/*,harness/verbs.py",
        )
        session.run("coverage", "report", *pure, "--fail-under=100")
    else:
        session.run("pytest", *session.posargs)


@nox.session(python=OLDEST, venv_backend="uv", allow_parallel=True)
def minimums(session: nox.Session) -> None:
    """Run the tests with the oldest versions that pyproject.toml allows."""
    session.install("--resolution=lowest-direct", *BENCH, *CLOJURE, *_group("test"))
    session.run("pytest", *session.posargs)


@nox.session(allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Check style, the direction of imports, and that every test says what it proves."""
    session.install(*BENCH, *_group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports", env={"PYTHONPATH": "src:."})
    session.run("interrogate", "-q", "tests")


@nox.session(python=OLDEST, allow_parallel=True)
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    session.install(*BENCH, *CLOJURE, *_group("test"), *_group("types"))
    session.run("mypy")


@nox.session(python=OLDEST, allow_parallel=True)
def docs(session: nox.Session) -> None:
    """Check that the documents' links lead somewhere and that they show what the tasks say of themselves."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session(python=PYTHONS, allow_parallel=True)
def wheel(session: nox.Session) -> None:
    """Test the built wheel with the sources out of sight: the runtime works, the bench is not in it."""
    folder = Path(session.create_tmp())
    built = folder / "dist"
    shutil.rmtree(built, ignore_errors=True)
    session.install("build", *_group("test"))
    session.run("python", "-m", "build", "--wheel", "--outdir", str(built), ".", silent=True)
    session.install("--no-deps", str(next(built.glob("*.whl"))))
    away = folder / "away"
    shutil.rmtree(away, ignore_errors=True)
    shutil.copytree("tests/unit/escapement", away / "tests/unit/escapement")
    session.chdir(away)
    options = (
        "-c",
        "/dev/null",
        "--rootdir",
        ".",
        "--import-mode",
        "importlib",
        "-o",
        "pythonpath=.",
    )
    session.run("python", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests")
    session.run("python", "-P", "-c", _WHEEL_HOLDS_THE_RUNTIME_ALONE)


_WHEEL_HOLDS_THE_RUNTIME_ALONE = """
import importlib.metadata, importlib.util, pathlib, escapement
assert "site-packages" in pathlib.Path(escapement.__file__).parts, escapement.__file__
assert importlib.util.find_spec("harness") is None, "the wheel holds the harness"
assert not importlib.metadata.requires("escapement") or all(
    "extra ==" in need for need in importlib.metadata.requires("escapement")
), "the runtime needs something"
print("the wheel holds", importlib.metadata.version("escapement"), "of the runtime, and import harness fails")
"""


@nox.session
def news(session: nox.Session) -> None:
    """Show the change log that the fragments in changelog.d make."""
    session.install(*_group("news"))
    session.run("towncrier", "build", "--draft", *session.posargs)


@nox.session(python=OLDEST)
def docker(session: nox.Session) -> None:
    """Run the tests that need a Docker engine; without one, or with one of them skipped, this fails."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "--run-docker", "-m", "docker", *session.posargs)


@nox.session(python=OLDEST)
def boxes(session: nox.Session) -> None:
    """Run the tests of the boxes without an engine, for which cgroups have to be ours to make; a skipped one fails."""
    session.install(*BENCH, *_group("test"))
    kinds = ("--run-cgroup", "--run-watchdog", "-m", "cgroup or watchdog")
    session.run("pytest", *kinds, *session.posargs)


@nox.session(python=False, default=False)
def guest(session: nox.Session) -> None:
    """Run the box contracts in a virtual machine with cgroup v2: `nox -s guest -- --folder DIR`, as root."""
    session.run(sys.executable, "-m", "experiments.guest", *session.posargs, external=True)


@nox.session(python=False, default=False)
def faults(session: nox.Session) -> None:
    """Inject faults into real runs, and look for leftovers: `nox -s faults -- --folder DIR`, as root."""
    session.run(sys.executable, "-m", "experiments.faults", *session.posargs, external=True)


@nox.session(python=OLDEST)
def counters(session: nox.Session) -> None:
    """Run the tests that need valgrind and strace; without one of them, or with a test skipped, this fails."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "--run-counters", "-m", "counters", *session.posargs)


def _bench(session: nox.Session, verb: str) -> None:
    session.install(*BENCH)
    # Ctrl-C: the task removes its container and its worktree, which takes longer than a third of a second
    session.run("invoke", verb, *session.posargs, interrupt_timeout=30, terminate_timeout=30)


@nox.session(default=False)
def ramp(session: nox.Session) -> None:
    """Ramp one build until it breaks: `nox -s ramp -- --arm hand --levels 500,1000`."""
    _bench(session, "ramp")


@nox.session(default=False)
def compare(session: nox.Session) -> None:
    """Compare the branch with its merge-base: `nox -s compare -- --arm sc-mem`."""
    _bench(session, "compare")


@nox.session(default=False)
def gate(session: nox.Session) -> None:
    """Say whether the branch may be merged: `nox -s gate -- --quick`. It fails for every exit code but 0."""
    _bench(session, "gate")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the speed goals: `nox -s bench -- --only hand`; without --only it takes an hour or more."""
    _bench(session, "goals")
