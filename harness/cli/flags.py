"""The flags of the tasks, each declared once, and the values that a call gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from harness.cli.parsing import (
    optional,
    parse_arm,
    parse_box,
    parse_cpus,
    parse_levels,
    parse_load,
    parse_memory_bytes,
    parse_number,
    parse_seconds,
    parse_switch,
    parse_text,
    parse_variable,
    parse_whole,
)
from harness.model.errors import UsageError

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Parser(Protocol[T_co]):
    """A function from text to a value."""

    def __call__(self, text: str, *, where: str) -> T_co:
        """Parse a text, or raise a `UsageError` that names where it came from."""


@dataclass(frozen=True)  # slots and generics do not go together in 3.11
class Flag(Generic[T]):
    """One flag.

    Args:
        name: As it is typed, without dashes.
        default: Text that stands in for a flag that no source sets.
        is_setting: Whether ``INVOKE_NAME`` and ``[tool.esc-bench]`` set it as well.
        key: Its name in ``[tool.esc-bench]``, where that is another.
        variable: The environment variable that sets it as well.
        is_switch: Whether it is typed without a value.
        is_repeatable: Whether it may be typed several times.
        is_positional: Whether it is typed without its name.
        goes_with_resume: Whether it is no part of a stored plan.
    """

    name: str
    help: str
    parse: Parser[T]
    default: str = ""
    is_setting: bool = False
    key: str = ""
    variable: str = ""
    is_switch: bool = False
    is_repeatable: bool = False
    is_positional: bool = False
    goes_with_resume: bool = False

    @property
    def parameter(self) -> str:
        """The name as Invoke spells it in Python."""
        return self.name.replace("-", "_")

    @property
    def setting(self) -> str:
        """The name in ``[tool.esc-bench]``."""
        return self.key or self.parameter

    @property
    def untouched(self) -> object:
        """The value that Invoke passes for a flag that was not typed."""
        if self.is_switch:
            return self.default == "yes"
        return [] if self.is_repeatable else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of one call; a flag that was not typed is looked up in further sources.

    Args:
        typed: By parameter, as Invoke passes them.
        declared: The flags of the verb by name; their defaults replace those of the module.
        environ: The process's environment.
        invoke: Invoke's configuration, which reads ``INVOKE_*``.
        pyproject: The table ``[tool.esc-bench]``.
    """

    typed: Mapping[str, object] = field(default_factory=dict)
    declared: Mapping[str, Flag[Any]] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    invoke: Mapping[str, object] = field(default_factory=dict)
    pyproject: Mapping[str, object] = field(default_factory=dict)

    def __getitem__(self, flag: Flag[T]) -> T:
        """Return the value of a flag.

        Raises:
            UsageError: Its text cannot be parsed.
        """
        text, where = self.find(flag)
        return flag.parse(text, where=where)

    def each(self, flag: Flag[T]) -> list[T]:
        """Return the values of a flag that may be typed several times."""
        items = self.typed.get(flag.parameter)
        texts = items if isinstance(items, list) else []
        return [flag.parse(str(text), where=f"--{flag.name}") for text in texts]

    def find(self, flag: Flag[T]) -> tuple[str, str]:
        """Return the text of a flag, and for a message the source that it came from."""
        typed = self.typed.get(flag.parameter, flag.untouched)
        if typed != flag.untouched:
            return _as_text(typed), f"--{flag.name}"
        if flag.variable and self.environ.get(flag.variable):
            return self.environ[flag.variable], f"{flag.variable} in the environment"
        configured = self.invoke.get(flag.parameter) if flag.is_setting else None
        if configured is not None and configured != "":
            return _as_text(configured), f"INVOKE_{flag.parameter.upper()}"
        if flag.is_setting and flag.setting in self.pyproject:
            return _as_text(self.pyproject[flag.setting]), f"[tool.esc-bench] {flag.setting}"
        default = self.declared.get(flag.name, flag).default or flag.default
        return default, f"--{flag.name}"

    def check(self) -> None:
        """Parse every flag of the verb; refuse flags that contradict a plan to resume.

        Raises:
            UsageError: A flag cannot be used.
        """
        resumes = bool(self.typed.get(RESUME.parameter))
        for flag in self.declared.values():
            typed = self.typed.get(flag.parameter, flag.untouched)
            if resumes and typed != flag.untouched and not flag.goes_with_resume:
                no = "no-" if typed is False else ""
                msg = f"--{no}{flag.name} is part of the stored plan and cannot be combined with --resume"
                raise UsageError(msg, hint="leave it out, or start a new run")
            _ = self.each(flag) if flag.is_repeatable else self[flag]


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


_switch = partial(Flag[bool], parse=parse_switch, default="no", is_switch=True)
_text = partial(Flag[str], parse=parse_text)
_text_or_none = partial(Flag[str | None], parse=optional(parse_text))

ARM = Flag(
    "arm",
    "the arm: sc-ckpt, sc-mem or hand (see `invoke arms`; default sc-mem)",
    parse_arm,
    default="sc-mem",
)
COST_ARM = replace(
    ARM,
    help="the arm: sc-ckpt, sc-mem or hand (see `invoke arms`; default sc-ckpt)",
    default="sc-ckpt",
)
BASE_ARM = Flag(
    "base-arm", "the arm of the base, where it differs from --arm", optional(parse_arm)
)
BRANCH_ARM = Flag(
    "branch-arm", "the arm of the branch, where it differs from --arm", optional(parse_arm)
)
ENV = Flag(
    "env",
    "NAME=VALUE for the cells, as in SCALE_VT=0; repeatable",
    parse_variable,
    is_repeatable=True,
)
BASE_ENV = replace(ENV, name="base-env", help="NAME=VALUE for the cells of the base; repeatable")
BRANCH_ENV = replace(
    ENV, name="branch-env", help="NAME=VALUE for the cells of the branch; repeatable"
)
LOAD = Flag(
    "load",
    "'TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]]' (default '6 200 50 5')",
    parse_load,
    default="6 200 50 5",
    is_setting=True,
)

CPUS = Flag(
    "cpus",
    "CPUs of the box (or CPUS=; default 2)",
    parse_cpus,
    default="2",
    is_setting=True,
    variable="CPUS",
)
MEM = Flag(
    "mem",
    "memory of the box, without swap (or MEM=; default 2g)",
    parse_memory_bytes,
    default="2g",
    is_setting=True,
    key="memory",
    variable="MEM",
)
PIDS = Flag(
    "pids",
    "limit of processes and threads in the box (or PIDS=; default: three quarters of the kernel's own limit)",
    optional(partial(parse_whole, least=8)),
    is_setting=True,
    variable="PIDS",
)
TIMEOUT = Flag(
    "timeout",
    "time limit of a cell: 600, 90s, 10m (or TIMEOUT=; default 600 s)",
    parse_seconds,
    default="600",
    is_setting=True,
    key="timeout_s",
    variable="TIMEOUT",
)

LEVELS = Flag(
    "levels",
    "sessions at once, ascending: 500,1000,1500 or, doubling, 500..64000 (default 500..8000)",
    parse_levels,
    default="500..8000",
    is_setting=True,
)
BLOCKS = Flag(
    "blocks",
    "blocks per level, each base, branch, branch, base (default 1; 0: one pair per level)",
    partial(parse_whole, least=0),
    default="1",
    is_setting=True,
)
WARM_UP = _switch(
    "warm-up",
    "--no-warm-up skips the first cell of each side, which is discarded",
    default="yes",
    is_setting=True,
)
REFINE = _switch(
    "refine", "narrow the brackets of knee and capacity to within 10 %", is_setting=True
)
OBJECTIVE = Flag(
    "objective",
    "the latency inflation that a level within capacity may have (default 2)",
    parse_number,
    default="2",
    is_setting=True,
)
PAIRS = Flag(
    "pairs",
    "pairs in all at each of two levels, chosen after the ladder (default 0: the ladder's own)",
    partial(parse_whole, least=0),
    default="0",
    is_setting=True,
)
DECISION_LEVELS = Flag(
    "decision-levels",
    "the levels of --pairs, instead of the two chosen ones, as in 500,2000",
    optional(parse_levels),
    is_setting=True,
)
BUDGET = Flag(
    "budget",
    "spend the rest of this time, as in 20m, on the pairs that narrow the intervals fastest",
    optional(parse_seconds),
    is_setting=True,
    key="budget_s",
)

BASE = _text_or_none(
    "base", "the commit to compare with (default: the merge-base with the default branch)"
)
MAIN = _text_or_none(
    "main",
    "the default branch (default: main, origin/main or origin/HEAD, whichever exists first)",
)
REPO = _text_or_none("repo", "a folder of the checkout (default: this one)", goes_with_resume=True)
BASE_IMAGE = _text(
    "base-image",
    "for both sides: the image to build on, or without Docker a Python (or BASE_IMAGE=; "
    "default: that of `invoke base-image` if there is one, else python:3.13-slim)",
    is_setting=True,
    variable="BASE_IMAGE",
)
BOX = Flag(
    "box",
    "where cells run: docker, cgroup or watchdog (default auto: the first that works here)",
    parse_box,
    default="auto",
    is_setting=True,
)
NO_WAIT = _switch(
    "no-wait",
    "exit with code 12 if another run uses the machine, instead of waiting for it",
    goes_with_resume=True,
)
RESUME = _text_or_none(
    "resume",
    "continue an interrupted run with its own plan: a folder of results/",
    goes_with_resume=True,
)
DRY_RUN = _switch(
    "dry-run",
    "print refs, hashes, images and cells in order; build and run nothing",
    goes_with_resume=True,
)

GATE_PAIRS = Flag(
    "pairs",
    "pairs at each decision level (default 8, or as in [tool.esc-bench.gate])",
    optional(parse_whole),
)
QUICK = _switch("quick", "exact costs, then pairs at one level, and no ladder")
STRICT = _switch("strict", "fail an inconclusive verdict as well")
NO_COSTS = _switch("no-costs", "skip the exact costs")
IMAGE = _text_or_none("image", "a build that exists already (default: the checkout, built)")
ONLY = _text("only", "only goals whose figure holds this text, as in 'hand' or 'C=8,000'")
REPEATS = Flag("repeats", "runs of each cell (default 3)", parse=parse_whole, default="3")
FOLDER = _text("folder", "a folder of results/", is_positional=True)

Group = tuple[Flag[Any], ...]
WHERE: Group = (REPO, BASE_IMAGE, BOX, NO_WAIT)
CAPS: Group = (CPUS, MEM, PIDS, TIMEOUT)
RUN: Group = (ARM, LOAD, ENV, *CAPS, *WHERE)
LADDER: Group = (LEVELS, BLOCKS, WARM_UP)
DECISION: Group = (REFINE, OBJECTIVE, DECISION_LEVELS, BUDGET)
SIDES: Group = (BASE, MAIN, BASE_ARM, BRANCH_ARM, BASE_ENV, BRANCH_ENV)
GATE: Group = (QUICK, STRICT, NO_COSTS, GATE_PAIRS)

CONFIGURED: Group = (LOAD, *CAPS, *LADDER, *DECISION, PAIRS, BASE_IMAGE, BOX)
"""The flags that ``INVOKE_*`` and pyproject.toml set as well."""
