"""Verdicts on exact metrics: peak threads and counted costs."""

from collections.abc import Mapping

import pytest

from harness.analysis.verdict.exact import judge_counted, judge_threads
from harness.analysis.verdict.kinds import MetricVerdict, Verdict
from harness.model.costs import ExactCost
from harness.model.gate import DEFAULT_MARGINS, Margin

THREADS, CALLS, WORK = "peak-threads", "system-calls/turn", "instructions/turn"


def _cost(
    base: float | None,
    branch: float | None,
    *,
    name: str = WORK,
    reproducible: bool = True,
    advisory: str = "",
    detail: Mapping[str, tuple[float, float]] | None = None,
) -> ExactCost:
    return ExactCost(
        name=name,
        base=base,
        branch=branch,
        spread=None,
        reproducible=reproducible,
        advisory=advisory,
        detail=dict(detail or {}),
    )


@pytest.mark.parametrize(
    ("branch", "verdict", "change"),
    [
        ([1009, 1010], Verdict.REGRESSED, "+1"),
        ([1009, 1009], Verdict.EQUIVALENT, "none"),
        ([8, 9], Verdict.IMPROVED, "-1,000"),
    ],
)
def test_threads_are_compared_by_the_largest_peak(
    branch: list[int], verdict: Verdict, change: str
) -> None:
    """A sampled peak is a lower bound; one more thread is a regression."""
    assert judge_threads(500, [1008, 1009], branch, DEFAULT_MARGINS) == MetricVerdict(
        metric=THREADS,
        level=500,
        verdict=verdict,
        base="1,009",
        branch=f"{max(branch):,}",
        change=change,
        margin=DEFAULT_MARGINS[THREADS],
    )


def test_threads_without_a_margin_are_not_gated() -> None:
    """They are still shown."""
    judged = judge_threads(500, [8], [9], {})
    assert (judged.verdict, judged.refusal) == (Verdict.INCONCLUSIVE, "no margin is set for it")
    assert judged.change == "+1"


@pytest.mark.parametrize(
    ("base", "branch", "verdict", "change"),
    [
        (100_000.0, 102_001.0, Verdict.REGRESSED, "+2.0 %, +2,001"),
        (100_000.0, 102_000.0, Verdict.EQUIVALENT, "+2.0 %, +2,000"),
        (102_000.0, 100_000.0, Verdict.EQUIVALENT, "-2.0 %, -2,000"),
        (102_001.0, 100_000.0, Verdict.IMPROVED, "-2.0 %, -2,001"),
        (100.0, 100.0, Verdict.EQUIVALENT, "none"),
        (0.0, 0.5, Verdict.REGRESSED, "+0.5"),
        (0.5, 0.0, Verdict.IMPROVED, "-100.0 %, -0.5"),
        (0.0, 0.0, Verdict.EQUIVALENT, "none"),
        (-1.0, 1.0, Verdict.REGRESSED, "+2"),
    ],
)
def test_counted_cost_is_worse_beyond_its_margin(
    base: float, branch: float, verdict: Verdict, change: str
) -> None:
    """The margin is a share of the better side; a slope may be zero or below."""
    judged = judge_counted(_cost(base, branch), DEFAULT_MARGINS)
    assert (judged.verdict, judged.change, judged.is_gated) == (verdict, change, True)
    assert judged.level is None


@pytest.mark.parametrize(
    ("branch", "verdict"), [(12.01, Verdict.EQUIVALENT), (12.02, Verdict.REGRESSED)]
)
def test_counted_cost_has_a_margin_in_its_own_unit(branch: float, verdict: Verdict) -> None:
    """Rounding makes up to a hundredth of a system call a turn; more is a call."""
    assert judge_counted(_cost(12.0, branch, name=CALLS), DEFAULT_MARGINS).verdict is verdict


def test_counted_cost_names_the_largest_differences() -> None:
    """Three parts are shown, by size and then by name; unchanged parts are left out."""
    detail = {
        "write": (2.0, 3.0),
        "read": (1.0, 1.0),
        "fsync": (0.0, 1.0),
        "open": (4.0, 1.5),
        "close": (1.0, 1.25),
    }
    judged = judge_counted(_cost(8.0, 7.75, name=CALLS, detail=detail), DEFAULT_MARGINS)
    assert judged.why == "open -2.5, fsync +1, write +1"


@pytest.mark.parametrize(
    ("cost", "refusal", "shown"),
    [
        (_cost(None, 1.0), "it cannot be counted on the base", ("–", "1", "")),
        (_cost(1.0, None), "it cannot be counted on the branch", ("1", "–", "")),
        (_cost(None, None), "it cannot be counted on either side", ("–", "–", "")),
        (
            _cost(1.0, 2.0, reproducible=False),
            "its counts differ by more than 1 part in 10,000 here",
            ("1", "2", "+100.0 %, +1"),
        ),
        (
            _cost(1.0, 2.0, advisory="it comes in steps"),
            "it comes in steps",
            ("1", "2", "+100.0 %, +1"),
        ),
        (_cost(1.0, 2.0, name="new/turn"), "no margin is set for it", ("1", "2", "+100.0 %, +1")),
    ],
)
def test_counted_cost_that_cannot_be_gated_is_shown(
    cost: ExactCost, refusal: str, shown: tuple[str, str, str]
) -> None:
    """A missing count, an unreproducible one and one without a margin are not gated."""
    judged = judge_counted(cost, DEFAULT_MARGINS)
    assert (judged.refusal, judged.is_gated) == (refusal, False)
    assert (judged.base, judged.branch, judged.change) == shown


def test_counted_cost_of_one_side_is_inconclusive() -> None:
    """A missing base is no regression."""
    assert judge_counted(_cost(None, 1.0), DEFAULT_MARGINS).verdict is Verdict.INCONCLUSIVE


def test_counted_margin_may_be_wide() -> None:
    """An absolute margin applies in both directions."""
    margins = {WORK: Margin(amount=10, is_relative=False)}
    found = [judge_counted(_cost(100.0, value), margins).verdict for value in (111.0, 90.0, 89.0)]
    assert found == [Verdict.REGRESSED, Verdict.EQUIVALENT, Verdict.IMPROVED]
