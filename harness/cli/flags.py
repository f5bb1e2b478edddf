"""What the flags of the tasks mean, for `invoke --help`: one text a flag, whichever verb has it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HELP = {
    "arm": "what is driven: sc-ckpt, sc-mem (default) or hand (see `invoke arms`)",
    "base-arm": "what the base drives, where it is not --arm: the floor against the runtime, say",
    "branch-arm": "what the branch drives, where it is not --arm",
    "levels": "ascending concurrencies, as in 500,1000,1500 or, doubling, 500..64000 (default"
    " 500..8000)",
    "load": "'TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]]' (default '6 200 50 5')",
    "env": "NAME=VALUE for the cells, as in SCALE_VT=0; may be given again",
    "base-env": "NAME=VALUE for the cells of the base alone; may be given again",
    "branch-env": "NAME=VALUE for the cells of the branch alone; may be given again",
    "cpus": "CPUs of the box (or CPUS=; default 2)",
    "mem": "memory of the box, no swap (or MEM=; default 2g)",
    "pids": "most processes and threads in the box (or PIDS=; default: none, but a quarter of the kernel's own limit is kept from it)",
    "timeout": "time limit of a cell: 600, 90s, 10m (or TIMEOUT=; default 600 s)",
    "blocks": "ABBA blocks a level, two pairs each (default 1: a screen; 0: one pair a level)",
    "warm-up": "--no-warm-up leaves out the first cell of each side, which is thrown away",
    "refine": "narrow the brackets of knee and capacity to within 10 %",
    "objective": "how much latency inflation a level within capacity may have (default 2)",
    "pairs": "pairs at each of two levels that the ladder shows, its own included (default 0:"
    " none)",
    "decision-levels": "have those pairs at these levels instead, as in 500,2000",
    "budget": "spend what is left of 20m, say, on pairs where they show most a second",
    "quick": "no ladder: exact costs, then pairs at one level",
    "strict": "fail also where nothing can be decided",
    "no-costs": "leave out what is counted instead of timed",
    "base": "the commit to compare with (default: the merge-base with the default branch)",
    "main": "the default branch (default: main, origin/main or origin/HEAD, the first there is)",
    "repo": "a folder of the checkout (default: this one)",
    "base-image": "what builds stand on (or BASE_IMAGE=): an image (default: that of `invoke"
    " base-image` if there is one, else python:3.13-slim), or without docker a Python of this machine",
    "box": "where cells run: docker, cgroup or watchdog (default auto: the first that works here)",
    "resume": "go on with an interrupted run, as it was planned: a folder of results/",
    "no-wait": "end with exit code 12 where another run has the machine, instead of waiting for it",
    "dry-run": "show refs, hashes, images and cells in order; build and run nothing",
}

WITH_RESUME = ("resume", "repo", "dry_run", "no_wait")
"""The flags that go with `--resume`: all others are part of what was planned."""

LISTS = ("env", "base_env", "branch_env")
"""The flags that may be given again."""

SETTINGS = (
    *("cpus", "mem", "pids", "timeout", "levels", "load", "blocks", "warm_up", "refine"),
    *("objective", "pairs", "decision_levels", "budget", "base_image", "box"),
)
"""The flags that `INVOKE_*` and pyproject.toml can set too."""

ON = ("warm_up",)
"""The flags that are on unless they are turned off."""
_ARM = "sc-mem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a person typed, as text.

    Args:
        flags: Settings by name; None where a flag was not given.
        arm: Of both sides; `base_arm` and `branch_arm` of one of them.
        env: ``K=V`` for the cells of both sides; `base_env` and `branch_env` for one of them.
        invoke: Invoke's configuration.
        repo: A folder of the checkout; None for the current one.
        resume: The folder of a run to go on with; None for a new one.
    """

    arm: str = _ARM
    base_arm: str | None = None
    branch_arm: str | None = None
    flags: Mapping[str, str | None] = field(default_factory=dict)
    env: Sequence[str] = ()
    base_env: Sequence[str] = ()
    branch_env: Sequence[str] = ()
    base: str | None = None
    main: str | None = None
    repo: str | None = None
    resume: str | None = None
    invoke: Mapping[str, object] = field(default_factory=dict)


def sort_words(given: Mapping[str, object], invoke: Mapping[str, object]) -> Typed:
    """Sort what a task was given by its flags.

    Args:
        given: By the flag's name: text, a switch, or a list of texts.
        invoke: Invoke's configuration.
    """

    def text(name: str) -> str:
        value = given.get(name, "")
        if isinstance(value, bool):  # a switch that was not touched says nothing
            return "" if value is (name in ON) else "yes" if value else "no"
        return str(value)

    def texts(name: str) -> list[str]:
        value = given.get(name)
        return [str(item) for item in value] if isinstance(value, list) else []

    return Typed(
        arm=text("arm") or _ARM,
        base_arm=text("base_arm") or None,
        branch_arm=text("branch_arm") or None,
        flags={name: text(name) for name in SETTINGS},
        env=texts("env"),
        base_env=texts("base_env"),
        branch_env=texts("branch_env"),
        base=text("base") or None,
        main=text("main") or None,
        repo=text("repo") or None,
        resume=text("resume") or None,
        invoke=invoke,
    )
