"""The record of how sessions ended."""

from harness.probe.shared_counters import SharedCounters
from harness.probe.worker.recorder import Recorder


def test_recorder_keeps_the_first_failure(counters: SharedCounters) -> None:
    """The sample is the first error's type and message; totals are published."""
    recorder = Recorder(3, counters)
    recorder.record_error(ValueError("one"))
    recorder.record_error(ValueError("two"))
    recorder.record_ok(5.0)
    assert recorder.err_sample == "ValueError: one"
    assert (recorder.ok, recorder.errors) == (1, 2)
    assert (counters.done, counters.errors) == (3, 2)
    assert list(recorder.latencies_ms) == [5.0]
