"""The documents: their links, verbs, flags and programs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import noxfile
import tasks
from harness.model import errors
from harness.model.nouns import Arm
from harness.report.arms import VARIABLES

ROOT = Path(tasks.__file__).parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = ROOT / "docs/commands.md"
EVERY_DOCUMENT = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=[str(document.relative_to(ROOT)) for document in DOCUMENTS]
)
# Flags of other programs that the documents may name.
OTHER_FLAGS = {
    *("--list", "--help", "--unshallow", "--run-docker", "--global", "--all"),
    *("--user", "--scope", "--print-completion-script", "--folder"),
}


def _verbs() -> dict[str, set[str]]:
    """Return every verb with its flags; `--no-` for a flag that is on by default."""
    return {
        verb: {
            f"--{no}{name}"
            for argument in tasks.ns[verb].get_arguments()
            for name in argument.names
            for no in (("", "no-") if argument.default is True else ("",))
        }
        for verb in tasks.ns.task_names
    }


def _text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def _code(document: Path) -> list[str]:
    """Return what stands in fences, a line each, and between back-ticks."""
    text = _text(document)
    fences = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    spans = re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    )
    return [line.partition(" #")[0] for fence in fences for line in fence.splitlines()] + spans


def _anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as they are made on the web."""
    headings = re.findall(r"^#+ (.*)$", _text(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@EVERY_DOCUMENT
def test_links_lead_to_files_that_exist(document: Path) -> None:
    """A relative link leads somewhere, and so does its anchor."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", _text(document)):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


@EVERY_DOCUMENT
def test_verbs_that_are_named_exist(document: Path) -> None:
    """Each verb in a document is a task."""
    named = {
        verb for code in _code(document) for verb in re.findall(r"\binvoke ([a-z][a-z-]*)", code)
    }
    assert named - _verbs().keys() == set()


@EVERY_DOCUMENT
def test_flags_that_are_named_exist(document: Path) -> None:
    """Each flag in a document belongs to its verb, or to any verb."""
    verbs = _verbs()
    wrong = []
    for code in _code(document):
        found = re.search(r"\binvoke ([a-z][a-z-]*)", code)
        known = verbs.get(found[1], set()) if found else set().union(*verbs.values())
        if found or code.startswith("--"):
            wrong += [flag for flag in _named(code) if flag not in known | OTHER_FLAGS]
    assert wrong == []


def _named(code: str) -> list[str]:
    return re.findall(r"(?<![\w-])--[a-z][a-z-]*", code)


@EVERY_DOCUMENT
def test_sessions_that_are_named_exist(document: Path) -> None:
    """Each Nox session in a document exists."""
    sessions = {
        name
        for code in _code(document)
        for name in re.findall(r"\bnox -s ([a-z]+)(?:-3\.\d+)?", code)
    }
    assert {name for name in sessions if not hasattr(noxfile, name)} == set()


def _rows(document: Path, heading: str) -> list[str]:
    """Return the first column of the table under a heading."""
    section = _text(document).split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [row.split("|")[1].strip() for row in section.splitlines() if row.startswith("|")][2:]


def test_commands_explain_every_exit_code() -> None:
    """The table holds the codes of the error classes, success and Ctrl-C."""
    shown = {int(code) for row in _rows(COMMANDS, "Exit codes") for code in row.split(", ")}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.HarnessError)}
    assert shown == codes | {0, 130}


def test_commands_explain_every_arm() -> None:
    """Each arm has a row in the table of arms."""
    assert _rows(COMMANDS, "Arms") == [f"`{arm}`" for arm in Arm]


def test_commands_explain_every_toggle() -> None:
    """The table of toggles is the one that `invoke arms` prints."""
    assert sorted(_rows(COMMANDS, "Toggles")) == sorted(f"`{name}`" for name, _ in VARIABLES)


def test_readme_is_short() -> None:
    """A newcomer reads two screens."""
    assert len(_text(ROOT / "README.md").splitlines()) <= 120


@EVERY_DOCUMENT
def test_programs_in_the_documents_print_what_is_said(document: Path) -> None:
    """A program in a document runs, and prints the block that follows it."""
    shown = re.findall(
        r"^```python\n(.*?)^```.*?^```text\n(.*?)^```",
        _text(document),
        flags=re.DOTALL | re.MULTILINE,
    )
    for program, printed in shown:
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (ended.stdout, ended.stderr) == (printed, "")
