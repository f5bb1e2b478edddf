"""The rules for a Dockerfile: it stands on the base image, and fetches nothing."""

import itertools
import re
from collections.abc import Iterator

_BASES = ("$BASE", "${BASE}", "scratch")
_COPY_FLAG = re.compile(r"--(from|chown|chmod)=([\w:.,/-]+)")
_ESCAPE_DIRECTIVE = re.compile(r"#\s*escape\s*=", re.IGNORECASE)
_CONTROL = re.compile(r"[^\S\t\n ]|[\x00-\x08\x0e-\x1f]")
_SCRATCH = ("/scratch", '["/scratch"]')
_ALLOWED = {"ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "LABEL", "RUN", "SHELL"}
_ALLOWED |= {"STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
_ONLY = "only ${BASE} and its own earlier stages exist on both sides"


def find_fault(text: str) -> str:
    """Return why a Dockerfile may not be built, with its line; empty if it may.

    The rules allow only what every builder reads the same way.

    Source: Dockerfile reference, "Format", "Parser directives", "FROM", "COPY --from", "ADD".
    """
    stages: list[str] = []
    try:
        for line, keyword, rest in _instructions(text):
            if fault := _fault_of(keyword, rest, stages):
                return f"line {line} of the Dockerfile {fault}"
    except ValueError as error:
        return str(error)
    return ""


def _fault_of(keyword: str, rest: str, stages: list[str]) -> str:
    """Return the fault of one instruction; a FROM appends its name to the stages."""
    words = rest.split()
    flags = list(itertools.takewhile(lambda word: word.startswith("--"), words))
    if keyword not in _ALLOWED:
        return f"has {keyword[:40]}, which is not allowed here"
    if keyword == "COPY":
        return _fault_of_copy(flags, stages) or _fault_of_document(rest)
    if flags:
        return f"has {flags[0]}, which {keyword} cannot have here"
    if keyword == "FROM":
        return _fault_of_from(words, stages)
    if keyword == "VOLUME" and rest not in _SCRATCH:
        return "makes a volume of something else than /scratch"
    return _fault_of_document(rest) if keyword == "RUN" else ""


def _fault_of_from(words: list[str], stages: list[str]) -> str:
    on, *name = words or [""]
    if on not in _BASES and (not on or on.lower() not in stages):
        return f"stands on {on or 'nothing'}: {_ONLY}"
    stages.append(name[1].lower() if len(name) == 2 and name[0].upper() == "AS" else "")
    return ""


def _fault_of_copy(flags: list[str], stages: list[str]) -> str:
    for flag in flags:
        plain = _COPY_FLAG.fullmatch(flag)
        if plain is None:
            return f"has the flag {flag}, which is not plain"
        # the stage that is being built is no stage yet: its name means an image elsewhere
        if plain[1] == "from" and plain[2].lower() not in stages[:-1]:
            return f"copies from {plain[2]}: {_ONLY}"
    return ""


def _fault_of_document(rest: str) -> str:
    """Refuse a here-document, which only some builders read as one."""
    return "has a here-document" if "<<" in rest else ""


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, keyword and rest of each instruction, with continued lines joined.

    Raises:
        ValueError: The end of an instruction is ambiguous.
    """
    held, began = "", 0
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r")
        _refuse_ambiguity(number, line)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        began = began if held else number
        # blanks at the start of a continued line may separate two words
        held += line.rstrip().removesuffix("\\")
        if not line.rstrip().endswith("\\"):
            yield began, *_split(held)
            held = ""
    if held:
        yield began, *_split(held)


def _split(instruction: str) -> tuple[str, str]:
    keyword, _, rest = instruction.replace("\t", " ").strip().partition(" ")
    return keyword.upper(), rest.strip()


def _refuse_ambiguity(number: int, line: str) -> None:
    ambiguities = (
        (_CONTROL.search(line), "holds a character that is neither text nor a plain space"),
        (_ESCAPE_DIRECTIVE.match(line.lstrip()), "changes the escape character"),
        (line.rstrip().endswith("\\\\"), "may or may not continue in the next one"),
    )
    for is_found, what in ambiguities:
        if is_found:
            msg = f"line {number} of the Dockerfile {what}"
            raise ValueError(msg)
