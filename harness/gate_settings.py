"""What a gate decides by: `[tool.esc-bench.gate]` in pyproject, and the flags that win over it."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import UsageError
from harness.margins import DEFAULT_MARGINS, parse_margin
from harness.model import Margin
from harness.units import parse_whole

_TABLE, _MARGINS = "[tool.esc-bench.gate]", "[tool.esc-bench.gate.margins]"
_GATE_SETTINGS = ("margins", "pairs", "quick-level")
_DEFAULT_PAIRS = 8
_DEFAULT_QUICK_LEVEL = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """What a gate is told.

    Args:
        margins: By metric; one that is not named is not gated.
        pairs: At each decision level, at least 1.
        quick_level: The one level of the quick profile.
    """

    margins: Mapping[str, Margin]
    pairs: int
    quick_level: int


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
