"""The measurements of a probe with an injected regression."""

import pytest

from tests.integration.probe_runs import Start, end

LOAD = "1 20 5 5"


@pytest.mark.slow
@pytest.mark.parametrize("virtual", ["1", "0"])
@pytest.mark.parametrize("arm", ["sc-ckpt", "sc-mem", "hand"])
def test_probe_measures_what_was_injected(start: Start, arm: str, virtual: str) -> None:
    """Threads, memory and CPU rise as injected; only the injected failure occurs."""
    words = f"{arm} 8 {LOAD}"
    plain = end(start(words, SCALE_VT=virtual)).result
    ended = end(
        start(
            words,
            SCALE_VT=virtual,
            SCALE_INJECT_THREADS="5",
            SCALE_INJECT_BYTES=str(4 << 20),
            SCALE_INJECT_WORK="300000",
            SCALE_INJECT_FAILING="8",
        )
    )
    worse = ended.result
    assert (worse["ok"], worse["errors"]) == (7, 1)
    sample = "InjectedFailureError: session 7 failed on purpose: SCALE_INJECT_FAILING=8"
    assert worse["err-sample"] == sample
    assert worse["peak-threads"] >= plain["peak-threads"] + 30
    assert worse["peak-rss-mb"] > plain["peak-rss-mb"] + 28
    assert worse["cpu-sec"] > plain["cpu-sec"] + 0.05
    assert ended.outcome["cause"] == "errors"


@pytest.mark.slow
def test_probe_injects_failures_by_session_across_shards(start: Start) -> None:
    """Every fourth of ten sessions fails, with two processes as with one."""
    ended = end(start(f"hand 10 {LOAD}", SCALE_PROCS="2", SCALE_INJECT_FAILING="4"))
    assert (ended.result["ok"], ended.result["errors"]) == (8, 2)
