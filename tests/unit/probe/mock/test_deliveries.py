"""The record of the mock's punctuality."""

from harness.probe.mock.deliveries import Deliveries
from harness.probe.shared_counters import SharedCounters


def test_deliveries_spread_a_round_over_the_time_it_took(deliveries: Deliveries) -> None:
    """Ten tokens from 2 to 4 ms late are three per ms; the rest counts as last."""
    deliveries.add_round(2, 4, 10)
    assert dict(deliveries.lags) == {2: 3, 3: 3, 4: 4}


def test_deliveries_publish_both_kinds_of_stream(
    deliveries: Deliveries, counters: SharedCounters
) -> None:
    """The running total is the sum over the loop and the threads."""
    deliveries.add_round(0, 0, 5)
    deliveries.publish_one()
    deliveries.publish_one()
    assert counters.deltas == 7


def test_deliveries_return_a_copy_of_the_lags(deliveries: Deliveries) -> None:
    """A thread that a session left behind cannot change the report."""
    deliveries.add_stream([0, 7])
    lags = deliveries.lags
    deliveries.add_stream([7])
    assert lags == {0: 1, 7: 1}
