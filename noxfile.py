"""Checks in clean environments, and the bench's own verbs in one."""

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"  # a missing Python is skipped, and in CI an error
nox.options.parallel = os.cpu_count()
nox.options.sessions = ["tests", "minimums", "lint", "types", "docs", "wheel"]

PYTHONS = ["3.11", "3.12", "3.13"]
OLDEST = PYTHONS[0]
PROJECT = nox.project.load_toml("pyproject.toml")
BENCH = PROJECT["project"]["optional-dependencies"]["bench"]
CLOJURE = PROJECT["project"]["optional-dependencies"]["clojure"]
PURE = ("model", "outcome", "analysis", "plan", "report", "verbs")
# standard library only: these tests depend on no version of anything
WITHOUT_DEPENDENCIES = ("tests/unit/escapement", "tests/unit/probe", "tests/integration")


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, name))


@nox.session(python=PYTHONS, allow_parallel=True)
def tests(session: nox.Session) -> None:
    """Run all tests without Docker; the oldest Python measures the coverage."""
    session.install(*BENCH, *CLOJURE, *_group("test"))
    workers = ("-n", "auto", "--dist", "worksteal")
    if session.python != OLDEST:
        session.run("pytest", *workers, *session.posargs)
        return
    session.run("pytest", *workers, "--cov", "--cov-report=", *session.posargs)
    session.run("coverage", "report")
    pure = ",".join(f"harness/{room}/*" for room in PURE)
    session.run("coverage", "report", f"--include={pure}", "--fail-under=100")


@nox.session(python=OLDEST, venv_backend="uv", allow_parallel=True)
def minimums(session: nox.Session) -> None:
    """Run the tests of all that has dependencies with the oldest versions."""
    session.install("--resolution=lowest-direct", *BENCH, *CLOJURE, *_group("test"))
    left_out = [f"--ignore={folder}" for folder in WITHOUT_DEPENDENCIES]
    session.run("pytest", *left_out, *session.posargs)


@nox.session(allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Check style, the direction of imports, and the docstrings of tests."""
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
    """Check the documents, the layout, and the English of docstrings."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session(python=PYTHONS, allow_parallel=True)
def wheel(session: nox.Session) -> None:
    """Test the built wheel away from its sources; it holds the runtime alone."""
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
    """Run the tests that need a Docker engine; a skipped test fails."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "--run-docker", "-m", "docker", *session.posargs)


@nox.session(python=OLDEST)
def boxes(session: nox.Session) -> None:
    """Run the tests of the boxes without an engine, as root; a skipped test fails."""
    session.install(*BENCH, *_group("test"))
    kinds = ("--run-cgroup", "--run-watchdog", "-m", "cgroup or watchdog")
    session.run("pytest", *kinds, *session.posargs)


@nox.session(python=False, default=False)
def guest(session: nox.Session) -> None:
    """Test all boxes in a virtual machine: `nox -s guest -- --folder DIR`, as root."""
    session.run(sys.executable, "-m", "experiments.guest", *session.posargs, external=True)


@nox.session(python=False, default=False)
def faults(session: nox.Session) -> None:
    """Inject faults into real runs: `nox -s faults -- --folder DIR`, as root."""
    session.run(sys.executable, "-m", "experiments.faults", *session.posargs, external=True)


@nox.session(python=OLDEST)
def counters(session: nox.Session) -> None:
    """Run the tests that need valgrind and strace; a skipped test fails."""
    session.install(*BENCH, *_group("test"))
    session.run("pytest", "--run-counters", "-m", "counters", *session.posargs)


def _bench(session: nox.Session, verb: str) -> None:
    session.install(*BENCH)
    # after Ctrl-C the task removes its container and its worktree
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
    """Decide whether the branch may be merged: `nox -s gate -- --quick`."""
    _bench(session, "gate")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the speed goals: `nox -s bench -- --only hand`."""
    _bench(session, "goals")
