"""The properties of stored values."""

import msgspec
import pytest

from harness.model.cells import Result
from harness.model.nouns import Load, Outcome, Side


def test_side_other_is_the_opposite_side() -> None:
    """The opposite of base is branch, and the reverse."""
    assert [side.other for side in (Side.BASE, Side.BRANCH)] == [Side.BRANCH, Side.BASE]


def test_outcome_is_timeout_for_both_timeouts() -> None:
    """Only the two timeouts count."""
    timeouts = {outcome for outcome in Outcome if outcome.is_timeout}
    assert timeouts == {Outcome.TIMEOUT_PROGRESSING, Outcome.TIMEOUT_STALLED}


def test_load_arguments_omit_trailing_zeros() -> None:
    """An argument overrides SCALE_QSLEEP_MS and SCALE_STATE_KB."""
    assert Load().arguments == ("6", "200", "50", "5")
    assert Load(qsleep_ms=50).arguments == ("6", "200", "50", "5", "50")
    assert Load(state_kb=64).arguments == ("6", "200", "50", "5", "0", "64")


def test_load_arguments_end_with_the_state() -> None:
    """The state is the sixth argument."""
    load = Load(turns=1, ttft_ms=2, tokens=3, tok_ms=4, qsleep_ms=5, state_kb=64)
    assert load.arguments == ("1", "2", "3", "4", "5", "64")


def test_load_nominal_session_is_undisturbed() -> None:
    """It is the turns times the time of their tokens."""
    assert Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5).nominal_session_s == pytest.approx(2.7)


def test_result_has_the_names_of_the_protocol() -> None:
    """The keys are those of the original script, and our own."""
    names = [field.encode_name for field in msgspec.structs.fields(Result)]
    assert " ".join(names) == (
        "arm C ok errors vt err-sample wall-ms turns-total nominal-turn-ms p50-session-ms p99-session-ms "
        "latency-infl cpu-sec cpu-ms/turn peak-rss-mb rss-kb/sess peak-threads deltas state-kb schema procs "
        "workers pacing mock-lag-p99-ms base-rss-mb peak-fds throttled-ms python subject"
    )


def test_records_refuse_unknown_fields() -> None:
    """An unknown field is an error, not dropped."""
    with pytest.raises(msgspec.ValidationError, match="`surprise`"):
        msgspec.convert({"turns": 1, "surprise": 2}, Load)
