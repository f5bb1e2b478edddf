"""From the flags of a call to a request and to the options of a gate."""

from collections.abc import Mapping

from harness.cli import flags as f
from harness.cli.flags import Flags
from harness.cli.parsing import as_table, parse_margins, parse_whole
from harness.model.errors import UsageError
from harness.model.nouns import Caps, Drive, Side
from harness.model.plan import Plan
from harness.model.request import GateOptions, Request

_GATE, _MARGINS = "[tool.esc-bench.gate]", "[tool.esc-bench.gate.margins]"
_GATE_SETTINGS = ("margins", "pairs", "quick-level")
_GATE_PAIRS, _QUICK_LEVEL = 8, 1000


def settle(flags: Flags, *, host_cpus: int) -> Request:
    """Return the request of a call.

    Args:
        flags: With all sources of settings.
        host_cpus: The most CPUs that a box may have.

    Raises:
        UsageError: A setting cannot be parsed, or exceeds the host; the message names its source.
    """
    _refuse_unknown(flags.pyproject)
    both, arm = dict(flags.each(f.ENV)), flags[f.ARM]
    return Request(
        load=flags[f.LOAD],
        caps=_make_caps(flags, host_cpus),
        plan=_make_plan(flags),
        drives={
            Side.BASE: Drive(
                arm=flags[f.BASE_ARM] or arm, environment=both | dict(flags.each(f.BASE_ENV))
            ),
            Side.BRANCH: Drive(
                arm=flags[f.BRANCH_ARM] or arm, environment=both | dict(flags.each(f.BRANCH_ENV))
            ),
        },
        base=flags[f.BASE],
        main=flags[f.MAIN],
        base_image=flags[f.BASE_IMAGE],
        box=flags[f.BOX],
        resume=flags[f.RESUME],
    )


def settle_gate(flags: Flags) -> GateOptions:
    """Return the options of a gate, from its flags and from ``[tool.esc-bench.gate]``.

    Raises:
        UsageError: A setting cannot be parsed; the message names its source.
    """
    table = as_table(flags.pyproject.get("gate", {}), where=_GATE)
    for name in table:
        if name not in _GATE_SETTINGS:
            msg = f"{_GATE} in pyproject.toml has no setting {name!r}"
            raise UsageError(msg, hint=f"the settings are {', '.join(_GATE_SETTINGS)}")
    pairs, level = table.get("pairs", _GATE_PAIRS), table.get("quick-level", _QUICK_LEVEL)
    return GateOptions(
        margins=parse_margins(table.get("margins", {}), where=_MARGINS),
        pairs=flags[f.GATE_PAIRS] or parse_whole(str(pairs), where=f"{_GATE} pairs"),
        quick_level=parse_whole(str(level), where=f"{_GATE} quick-level"),
        is_quick=flags[f.QUICK],
        is_strict=flags[f.STRICT],
    )


def _make_plan(flags: Flags) -> Plan:
    decision_levels = flags[f.DECISION_LEVELS]
    return Plan(
        levels=flags[f.LEVELS],
        blocks=flags[f.BLOCKS],
        objective=flags[f.OBJECTIVE],
        warm_up=flags[f.WARM_UP],
        refine=flags[f.REFINE],
        pairs=flags[f.PAIRS],
        decision_levels=decision_levels or (),
        budget_s=flags[f.BUDGET],
    )


def _make_caps(flags: Flags, host_cpus: int) -> Caps:
    cpus = flags[f.CPUS]
    if cpus > host_cpus:
        text, where = flags.find(f.CPUS)
        msg = f"{where}: {text} CPUs, but this host has {host_cpus}"
        raise UsageError(msg, hint="a cap above the host caps nothing; ask for less")
    return Caps(
        cpus=cpus,
        memory_bytes=flags[f.MEM],
        pids=flags[f.PIDS],
        timeout_s=flags[f.TIMEOUT],
    )


def _refuse_unknown(pyproject: Mapping[str, object]) -> None:
    known = {flag.setting for flag in f.CONFIGURED} | {"gate"}
    for name in pyproject:
        if name not in known:
            msg = f"[tool.esc-bench] in pyproject.toml has no setting {name!r}"
            raise UsageError(msg, hint=f"the settings are {', '.join(sorted(known))}")
