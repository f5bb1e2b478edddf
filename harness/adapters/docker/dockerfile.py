"""What a Dockerfile may stand on: the base that it is given, and itself; nothing else, and nothing that it fetches."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BASES = ("$BASE", "${BASE}", "scratch")
_PLAIN = re.compile(
    r"[\w.,/*?\[\]-]+"
)  # no scheme, no user, no variable, no quote and no escape that could hide one
_FLAG = re.compile(r"--[a-z]+(=[\w:.,/-]*)?")
_ESCAPE_DIRECTIVE = re.compile(r"#\s*escape\s*=", re.IGNORECASE)
_CONTROL = re.compile(
    r"[^\S\t\n ]|[\x00-\x08\x0e-\x1f]"
)  # the builder's idea of a space is not everybody's
_ESCAPE = "\\"
_SCRATCH = "/scratch"
_HARMLESS = {
    "ARG",
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "LABEL",
    "MAINTAINER",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "WORKDIR",
}
"""What names no image and no place to fetch from, and starts nothing beside the probe."""

_ONLY = "only ${BASE} and stages of its own are there on both sides"


@dataclass(frozen=True, slots=True)
class _Instruction:
    """One instruction: the line at which it begins, its keyword in capitals, and the rest of it on one line."""

    line: int
    keyword: str
    rest: str

    @property
    def flags(self) -> list[str]:
        words = self.rest.split()
        return [word for word in words[: self._first_word] if word]

    @property
    def words(self) -> list[str]:
        return self.rest.split()[self._first_word :]

    @property
    def _first_word(self) -> int:
        words = self.rest.split()
        return next((at for at, word in enumerate(words) if not word.startswith("--")), len(words))


@dataclass(slots=True)
class _Stages:
    """The stages so far: how many, and the names of those that are complete and have one."""

    count: int = 0
    names: set[str] = field(default_factory=set)
    current: str = ""

    def begin(self, name: str) -> None:
        """Begin a stage; until it is complete, its own name is that of an image somewhere else."""
        self.names.add(self.current)
        self.count, self.current = self.count + 1, name.lower()

    def hold(self, word: str) -> bool:
        return bool(word) and word.lower() in self.names

    def hold_number(self, word: str) -> bool:
        return word.isdecimal() and int(word) < self.count - 1


def find_fault(text: str) -> str:
    """Return why a Dockerfile may not be built, with the line; empty where it may.

    It is read as the engine's own builder reads it. What another reading might take for something else is refused.

    Args:
        text: All of it.

    Source: Dockerfile reference, "Format", "Parser directives", "FROM", "COPY --from", "ADD".
    """
    stages = _Stages()
    try:
        for instruction in _instructions(text):
            fault = _fault_of(instruction, stages)
            if fault:
                return f"line {instruction.line} of the Dockerfile {fault}"
    except ValueError as error:
        return str(error)
    return ""


def _fault_of(instruction: _Instruction, stages: _Stages) -> str:
    fault = _flags(instruction) or _here_document(instruction)
    if not fault:
        match instruction.keyword:
            case "FROM":
                fault = _from(instruction, stages)
            case "COPY":
                fault = _copy(instruction, stages)
            case "ADD":
                fault = _add(instruction)
            case "VOLUME":
                fault = _volume(instruction)
            case keyword if keyword not in _HARMLESS:
                fault = f"has {keyword[:40]}, which is not allowed here"
            case _:
                pass
    return fault


def _here_document(instruction: _Instruction) -> str:
    """Refuse what one builder takes for the start of a document and another for words of a command."""
    is_one = instruction.keyword in {"RUN", "COPY", "ADD"} and "<<" in instruction.rest
    return "has a here-document" if is_one else ""


def _volume(instruction: _Instruction) -> str:
    """Refuse a second place that cells could write to."""
    is_scratch = instruction.rest in {_SCRATCH, f'["{_SCRATCH}"]'}
    return "" if is_scratch else f"makes a volume of something else than {_SCRATCH}"


def _flags(instruction: _Instruction) -> str:
    """Refuse those of a RUN, which mount things, and those in which a quote or an escape may hide another."""
    flags = instruction.flags
    if instruction.keyword == "RUN" and flags:
        return f"has {flags[0]}, which a RUN cannot have here"
    strange = [flag for flag in flags if not _FLAG.fullmatch(flag)]
    return f"has the flag {strange[0]}, which is not plain" if strange else ""


def _from(instruction: _Instruction, stages: _Stages) -> str:
    on, *name = instruction.words or [""]
    if on not in _BASES and not stages.hold(on):
        return f"stands on {on or 'nothing'}: {_ONLY}"
    stages.begin(name[1] if len(name) == 2 and name[0].upper() == "AS" else "")
    return ""


def _copy(instruction: _Instruction, stages: _Stages) -> str:
    for flag in instruction.flags:
        name, _, source = flag.partition("=")
        if name.lower() == "--from" and not (stages.hold(source) or stages.hold_number(source)):
            return f"copies from {source or 'nothing'}: {_ONLY}"
    return ""


def _add(instruction: _Instruction) -> str:
    rest = " ".join(instruction.words)
    words = instruction.words
    if rest.startswith("["):
        try:
            words = [str(word) for word in json.loads(rest)]
        except (ValueError, RecursionError):
            words = [rest]
    strange = [word for word in words if not _PLAIN.fullmatch(word)]
    return f"adds {strange[0]}: a build fetches nothing" if strange else ""


def _instructions(text: str) -> Iterator[_Instruction]:
    """Put what is continued on one line.

    Raises:
        ValueError: Where an instruction ends is open to doubt.
    """
    held: list[str] = []
    began = 0
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r")
        _refuse_doubts(number, line)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        began = began if held else number
        # a line that goes on keeps the blanks before it: they may be what parts two words
        line = line.rstrip() if held else line.strip()
        held.append(line.removesuffix(_ESCAPE))
        if not line.endswith(_ESCAPE):
            yield _instruction(began, held)
            held = []
    if held:
        yield _instruction(began, held)


def _refuse_doubts(number: int, line: str) -> None:
    doubts = (
        (_CONTROL.search(line), "holds a character that is neither text nor a plain space"),
        (_ESCAPE_DIRECTIVE.match(line.lstrip()), "changes what continues a line"),
        (line.rstrip().endswith(_ESCAPE * 2), "may or may not go on in the next one"),
    )
    for is_so, what in doubts:
        if is_so:
            msg = f"line {number} of the Dockerfile {what}"
            raise ValueError(msg)


def _instruction(line: int, held: list[str]) -> _Instruction:
    keyword, _, rest = "".join(held).replace("\t", " ").strip().partition(" ")
    return _Instruction(line, keyword.upper(), rest.strip())
