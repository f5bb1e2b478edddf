"""The layout and the English of the code, as far as a test can hold them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = 10
INNER_ROOMS = 11
LONGEST_MODULE = 400
SHORTEST_MODULE = 40
WIDTH = 88
CODE = ("src", "harness", "experiments", "tests", "tasks.py", "noxfile.py")
OPENINGS = re.compile(r"(What|How|Whether|Which|Whose|Who|Where|When|That)\b")
DIALECT = re.compile(
    r"\bmend it|\bon order\b|\btwice is\b|\bis told\b|\bare told\b|\blet be\b|\bseen to\b"
    r"|\bnobody reads\b|\bhow manyth\b|\bleaves \S+ over\b|\bmake room\b"
)


def _modules(*names: str) -> list[Path]:
    found = []
    for name in names:
        path = ROOT / name
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if "__pycache__" not in path.parts]


def _docstrings(path: Path) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of each docstring, those of attributes included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else []:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                value = child.value.value
                if isinstance(value, str):
                    yield child.lineno, child.col_offset, value


def _messages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {line for line, _, _ in _docstrings(path)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.lineno not in docstrings
        ):
            yield node.lineno, node.value


def _rooms(folder: Path) -> list[str]:
    return [
        path.name
        for path in folder.iterdir()
        if (path.is_dir() and path.name != "__pycache__")
        or (path.suffix == ".py" and path.stem not in {"__init__", "__main__"})
    ]


def test_docstrings_begin_with_a_verb_or_a_noun_within_the_width() -> None:
    """A docstring's first line ends within 88 columns, and opens plainly."""
    wrong = []
    for path in _modules(*CODE):
        for line, column, text in _docstrings(path):
            first, *rest = text.splitlines() or [""]
            width = column + 3 + len(first) + (0 if rest else 3)
            if width > WIDTH or OPENINGS.match(first):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {first}")
    assert wrong == []


def test_messages_use_the_words_of_the_field() -> None:
    """No text that a user reads holds a phrase of the old dialect."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in _modules("src", "harness", "tasks.py", "noxfile.py")
        for line, text in _messages(path)
        if DIALECT.search(text)
    ]
    wrong += [
        f"{path.relative_to(ROOT)}:{number}: {line}"
        for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if DIALECT.search(line)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("folder", "most"),
    [
        ("harness", ROOMS),
        ("harness/adapters", 8),
        ("harness/probe", INNER_ROOMS),
        ("src/escapement", INNER_ROOMS),
    ],
)
def test_rooms_can_be_surveyed(folder: str, most: int) -> None:
    """A reader names the room without opening it."""
    assert len(_rooms(ROOT / folder)) <= most


def test_rooms_say_in_one_sentence_what_lives_there() -> None:
    """A room's `__init__` is one docstring and re-exports nothing."""
    wrong = []
    for path in _modules("harness", "experiments", "src/escapement"):
        if path.name == "__init__.py" and path.parent.name != "escapement":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            if len(body) != 1 or ast.get_docstring(ast.Module(body, [])) is None:
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_modules_are_one_concept() -> None:
    """No module is too long, or so short that its one importer could hold it."""
    sources = {
        path: path.read_text(encoding="utf-8")
        for path in _modules("harness", "src", "tasks.py", "experiments")
    }
    wrong = []
    for path in _modules("harness", "src/escapement"):
        lines = len(sources[path].splitlines())
        name = ".".join(path.with_suffix("").parts[len(ROOT.parts) :]).removeprefix("src.")
        parent, _, leaf = name.rpartition(".")
        named = re.compile(
            rf"from {re.escape(name)} import|from {re.escape(parent)} import [^\n]*\b{leaf}\b"
        )
        importers = [other for other, text in sources.items() if named.search(text)]
        is_tiny = lines < SHORTEST_MODULE and len(importers) == 1
        if path.stem not in {"__init__", "__main__"} and (lines >= LONGEST_MODULE or is_tiny):
            wrong.append(f"{path.relative_to(ROOT)}: {lines} lines, {len(importers)} importers")
    assert wrong == []


def test_a_value_has_one_carrier() -> None:
    """Few files name a setting of the plan; nothing collects parameters by name."""
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in _modules("harness", "src", "experiments", "tasks.py")
    }
    naming = [path.name for path, text in texts.items() if "decision_levels" in text]
    assert len(naming) <= 4
    assert [path for path, text in texts.items() if "locals()" in text] == []
    assert len(texts[ROOT / "tasks.py"].splitlines()) <= 150
