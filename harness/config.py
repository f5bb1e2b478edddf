"""Settings of a run, from flags, the environment, Invoke's configuration and pyproject, in that order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UsageError
from harness.model import Arm, Caps, Load
from harness.ramp import DEFAULT_LEVELS, parse_levels
from harness.units import parse_memory_bytes, parse_number, parse_seconds, parse_whole

# setting: (variable that people know, default)
_KNOWN: dict[str, tuple[str | None, str]] = {
    "cpus": ("CPUS", "2"),
    "mem": ("MEM", "2g"),
    "pids": ("PIDS", ""),
    "timeout": ("TIMEOUT", "600"),
    "levels": (None, ",".join(str(level) for level in DEFAULT_LEVELS)),
    "load": (None, "6 200 50 5"),
    "blocks": (None, "1"),
    "warm_up": (None, "yes"),
    "refine": (None, "no"),
    "objective": (None, "2"),
    "pairs": (None, "0"),
    "decision_levels": (None, ""),
    "budget": (None, ""),
    "base_image": ("BASE_IMAGE", ""),
    "box": (None, "auto"),
}
BOXES = ("docker", "cgroup", "watchdog")
"""The kinds of box, the best first."""

AUTO = "auto"
"""The first of them that works."""

_SWITCHES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_PYPROJECT_NAMES = {"mem": "memory", "timeout": "timeout_s", "budget": "budget_s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one run is told to do.

    Args:
        levels: Ascending concurrencies.
        blocks: ABBA blocks a level; 0 for a scout, which has one pair a level.
        warm_up: Whether each side's first cell is thrown away.
        refine: Whether each side's bracket is narrowed to within 10 %.
        objective: How much latency inflation a level within capacity may have.
        pairs: At each decision level, the ladder's included; 0 for none.
        decision_levels: Ascending; empty for the ones that the ladder shows.
        budget_s: What all cells may take; None for no more than is planned.
        base_image: What the Dockerfile builds on; empty for the one that is found.
        box: One of `BOXES`, or `AUTO`.
    """

    load: Load
    caps: Caps
    levels: tuple[int, ...]
    blocks: int
    warm_up: bool
    refine: bool
    objective: float
    pairs: int
    decision_levels: tuple[int, ...]
    budget_s: float | None
    base_image: str
    box: str = AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where settings come from, the first that has one wins.

    Args:
        flags: By setting; None and empty stand for a flag that was not given.
        environ: The process's environment: CPUS, MEM, PIDS, TIMEOUT, BASE_IMAGE.
        invoke: Invoke's configuration, which reads ``INVOKE_*``.
        pyproject: The table ``[tool.esc-bench]``.
        host_cpus: What the caps may not exceed.
    """

    flags: Mapping[str, str | None]
    environ: Mapping[str, str]
    invoke: Mapping[str, object]
    pyproject: Mapping[str, object]
    host_cpus: int

    def find(self, setting: str) -> tuple[str, str]:
        """Return a setting's text, and where it came from for a message about it."""
        variable, default = _KNOWN[setting]
        if self.flags.get(setting):
            return str(self.flags[setting]), f"--{setting.replace('_', '-')}"
        if variable and self.environ.get(variable):
            return self.environ[variable], f"{variable} in the environment"
        configured = self.invoke.get(setting)
        if configured is not None and configured != "":
            return _as_text(configured), f"INVOKE_{setting.upper()}"
        name = _PYPROJECT_NAMES.get(setting, setting)
        if name in self.pyproject:
            return _as_text(self.pyproject[name]), f"[tool.esc-bench] {name}"
        return default, f"--{setting.replace('_', '-')}"


def settle(sources: Sources) -> Settings:
    """Settle all settings of a run.

    Raises:
        UsageError: One cannot be parsed, or is beyond the host; it names the place that it came from.
    """
    _refuse_unknown(sources.pyproject)
    levels, levels_from = sources.find("levels")
    load, load_from = sources.find("load")
    blocks, blocks_from = sources.find("blocks")
    objective, objective_from = sources.find("objective")
    pairs, pairs_from = sources.find("pairs")
    decision_levels, decision_from = sources.find("decision_levels")
    budget, budget_from = sources.find("budget")
    return Settings(
        load=parse_load(load.replace(",", " ").split(), where=load_from),
        caps=_settle_caps(sources),
        levels=parse_levels(_split(levels), where=levels_from),
        blocks=parse_whole(blocks, where=blocks_from, least=0),
        warm_up=_settle_switch(sources, "warm_up"),
        refine=_settle_switch(sources, "refine"),
        objective=parse_number(objective, where=objective_from),
        pairs=parse_whole(pairs, where=pairs_from, least=0),
        decision_levels=parse_levels(_split(decision_levels), where=decision_from)
        if decision_levels
        else (),
        budget_s=parse_seconds(budget, where=budget_from) if budget else None,
        base_image=sources.find("base_image")[0],
        box=_settle_box(sources),
    )


def parse_arm(text: str, *, where: str) -> Arm:
    """Read an arm.

    Raises:
        UsageError: There is no such arm.
    """
    try:
        return Arm(text)
    except ValueError:
        msg = f"{where}: there is no arm {text!r}"
        hint = f"the arms are {', '.join(Arm)}; `invoke arms` tells what they are"
        raise UsageError(msg, hint=hint) from None


def parse_load(texts: Sequence[str], *, where: str) -> Load:
    """Read a load: TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]].

    Raises:
        UsageError: There are not four to six, or one is not a whole number.
    """
    if not 4 <= len(texts) <= 6:
        msg = f"{where}: {' '.join(texts)!r} is not a load"
        hint = "write TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]], as in '6 200 50 5'"
        raise UsageError(msg, hint=hint)
    turns = parse_whole(texts[0], where=where)
    rest = [parse_whole(text, where=where, least=0) for text in texts[1:]]
    ttft_ms, tokens, tok_ms, qsleep_ms, state_kb = (*rest, 0, 0)[:5]
    return Load(
        turns=turns,
        ttft_ms=ttft_ms,
        tokens=tokens,
        tok_ms=tok_ms,
        qsleep_ms=qsleep_ms,
        state_kb=state_kb,
    )


def parse_environment(items: Iterable[str], *, where: str) -> dict[str, str]:
    """Read ``K=V`` items into an environment; the last of a name wins.

    Raises:
        UsageError: One has no ``=``, or a name that no environment can hold.
    """
    environment = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None or "\0" in value:
            msg = f"{where}: {item!r} is not a setting"
            raise UsageError(msg, hint="write NAME=VALUE, as in SCALE_STATE_KB=64")
        environment[name] = value
    return environment


def _settle_box(sources: Sources) -> str:
    text, where = sources.find("box")
    if text not in {AUTO, *BOXES}:
        msg = f"{where}: there is no box {text!r}"
        raise UsageError(msg, hint=f"write {AUTO}, {', '.join(BOXES[:-1])} or {BOXES[-1]}")
    return text


def _settle_switch(sources: Sources, setting: str) -> bool:
    text, where = sources.find(setting)
    try:
        return _SWITCHES[text.strip().lower()]
    except KeyError:
        msg = f"{where}: {text!r} is neither yes nor no"
        raise UsageError(msg, hint="write yes or no") from None


def _settle_caps(sources: Sources) -> Caps:
    cpus_text, cpus_from = sources.find("cpus")
    mem_text, mem_from = sources.find("mem")
    timeout_text, timeout_from = sources.find("timeout")
    pids_text, pids_from = sources.find("pids")
    cpus = parse_number(cpus_text, where=cpus_from)
    if cpus > sources.host_cpus:
        msg = f"{cpus_from}: {cpus_text} CPUs, and this host has {sources.host_cpus}"
        raise UsageError(msg, hint="a cap above the host caps nothing; ask for less")
    if cpus < 0.01:
        msg = f"{cpus_from}: {cpus_text} CPUs is below 0.01, the smallest share the kernel gives"
        raise UsageError(msg, hint="ask for more")
    return Caps(
        cpus=cpus,
        memory_bytes=parse_memory_bytes(mem_text, where=mem_from),
        pids=parse_whole(pids_text, where=pids_from, least=8) if pids_text else None,
        timeout_s=parse_seconds(timeout_text, where=timeout_from),
    )


def _refuse_unknown(pyproject: Mapping[str, object]) -> None:
    known = {_PYPROJECT_NAMES.get(name, name) for name in _KNOWN} | {"gate"}  # a table of its own
    for name in pyproject:
        if name not in known:
            msg = f"[tool.esc-bench] in pyproject.toml has no setting {name!r}"
            raise UsageError(msg, hint=f"the settings are {', '.join(sorted(known))}")


def _as_text(value: object) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text.strip()) if part]
