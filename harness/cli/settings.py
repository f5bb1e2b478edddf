"""Settings of a run, from flags, the environment, Invoke's configuration and pyproject, in that order."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.model.errors import UsageError
from harness.model.gate import DEFAULT_MARGINS, Margin
from harness.model.nouns import Arm, Caps, Load
from harness.model.request import AUTO, BOXES, GateSettings, Settings

_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SHOWN = 80  # of what was typed
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(%?)")
DEFAULT_LEVELS = (500, 1000, 2000, 4000, 8000)
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

_SWITCHES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_PYPROJECT_NAMES = {"mem": "memory", "timeout": "timeout_s", "budget": "budget_s"}
_TABLE, _MARGINS = "[tool.esc-bench.gate]", "[tool.esc-bench.gate.margins]"
_GATE_SETTINGS = ("margins", "pairs", "quick-level")
_DEFAULT_PAIRS = 8
_DEFAULT_QUICK_LEVEL = 1000


def parse_memory_bytes(text: str, *, where: str) -> int:
    """Read a memory cap as Docker spells it.

    Args:
        text: A number with an optional unit b, k, m or g (powers of 1024), e.g. ``2g``.
        where: The flag or variable that it came from, for the message.

    Returns:
        Bytes, at least 6 MiB, which is the engine's own minimum.

    Raises:
        UsageError: It does not parse, or is below the minimum.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?", text.strip().lower())
    if match is None:
        msg = f"{where}: {text[:_SHOWN]!r} is not an amount of memory"
        raise UsageError(msg, hint="write for example 512m or 2g")
    amount = int(float(match[1]) * _BYTES[match[2]])
    if amount < 6 << 20:
        msg = f"{where}: {text[:_SHOWN]!r} is below 6m, the smallest box there is"
        raise UsageError(msg, hint="write for example 512m or 2g")
    return amount


def parse_seconds(text: str, *, where: str) -> float:
    """Read a duration such as ``600``, ``90s`` or ``20m``.

    Raises:
        UsageError: It does not parse, or is not above zero.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)\s*(ms|s|m|h)?", text.strip().lower())
    value = float(match[1]) * _SECONDS[match[2] or ""] if match else 0.0
    if value <= 0:
        msg = f"{where}: {text[:_SHOWN]!r} is not a duration above zero"
        raise UsageError(msg, hint="write for example 600s or 10m")
    return value


def parse_number(text: str, *, where: str, least: float = 0.0) -> float:
    """Read a number above `least`.

    Raises:
        UsageError: It does not parse, is not finite, or is not above `least`.
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least < value < float("inf"):
        msg = f"{where}: {text[:_SHOWN]!r} is not a number above {least:g}"
        raise UsageError(msg, hint="write for example 2 or 1.5")
    return value


def parse_whole(text: str, *, where: str, least: int = 1) -> int:
    """Read a whole number of at least `least`.

    Raises:
        UsageError: It does not parse, or is less.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) >= least):
        msg = f"{where}: {text[:_SHOWN]!r} is not a whole number of at least {least}"
        raise UsageError(msg, hint="write it in digits")
    return int(digits)


def parse_margin(text: str, *, where: str) -> Margin:
    """Read a margin: ``10 %`` is a share of the base, ``0.5`` is in the metric's own unit.

    Raises:
        UsageError: It is neither.
    """
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        msg = f"{where}: {text!r} is not a margin"
        raise UsageError(
            msg, hint='write "10 %" for a share of the base, or a number in the metric\'s own unit'
        )
    amount = float(match[1])
    return Margin(amount=amount / 100, is_relative=True) if match[2] else _absolute(amount)


def _absolute(amount: float) -> Margin:
    return Margin(amount=amount, is_relative=False)


def parse_levels(texts: Sequence[str], *, where: str) -> tuple[int, ...]:
    """Read a ladder of concurrencies.

    Args:
        texts: A level each; ``500..4000`` stands for doubling from the one up to the other.
        where: The flag that they came from, for the message.

    Returns:
        Ascending positive integers, at least one.

    Raises:
        UsageError: One is not a positive whole number, or they do not ascend.
    """
    levels = tuple(level for text in texts for level in _doubling(text, where=where))
    if not levels or any(low >= high for low, high in itertools.pairwise(levels)):
        msg = f"{where}: {','.join(texts) or 'nothing'} does not ascend"
        raise UsageError(msg, hint="write levels as in 500,1000,2000 or 500..2000")
    return levels


def _doubling(text: str, *, where: str) -> Iterator[int]:
    first, dots, last = text.partition("..")
    level = parse_whole(first, where=where)
    top = parse_whole(last, where=where) if dots else level
    while level <= top:
        yield level
        level *= 2


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


def settle_gate(table: object, *, pairs: str = "") -> GateSettings:
    """Settle what a gate decides by.

    Args:
        table: `[tool.esc-bench.gate]` as it was read; None where there is none. Margins that it names replace the default ones,
            and ``"off"`` takes a metric out.
        pairs: The flag; empty where it was not given.

    Raises:
        UsageError: Some of it cannot be used; it names the place.
    """
    given = _as_table({} if table is None else table, where=_TABLE)
    for name in given:
        if name not in _GATE_SETTINGS:
            msg = f"{_TABLE} in pyproject.toml has no setting {name!r}"
            raise UsageError(msg, hint=f"the settings are {', '.join(_GATE_SETTINGS)}")
    where = "--pairs" if pairs else f"{_TABLE} pairs"
    return GateSettings(
        margins=_margins(given.get("margins", {})),
        pairs=parse_whole(pairs or str(given.get("pairs", _DEFAULT_PAIRS)), where=where),
        quick_level=parse_whole(
            str(given.get("quick-level", _DEFAULT_QUICK_LEVEL)), where=f"{_TABLE} quick-level"
        ),
    )


def _margins(table: object) -> dict[str, Margin]:
    margins = dict(DEFAULT_MARGINS)
    for name, value in _as_table(table, where=_MARGINS).items():
        where = f"{_MARGINS} {name}"
        if name not in DEFAULT_MARGINS:
            msg = f"{where}: there is no such metric"
            raise UsageError(msg, hint=f"the metrics are {', '.join(DEFAULT_MARGINS)}")
        if value == "off":
            del margins[name]
        else:
            margins[name] = parse_margin(str(value), where=where)
    return margins


def _as_table(value: object, *, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        msg = f"{where} in pyproject.toml is {value!r}, and it has to be a table"
        raise UsageError(msg, hint=f"write its settings under the heading {where}")
    return {str(name): item for name, item in value.items()}
