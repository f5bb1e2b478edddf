"""The account of the mock's punctuality."""

import os

from harness.probe.mock.deliveries import Deliveries
from harness.probe.shared_counters import SharedCounters


def test_deliveries_spread_a_round_over_the_time_it_took(deliveries: Deliveries) -> None:
    """Ten tokens from 2 to 4 ms late are three per ms, and one more at the last."""
    deliveries.add_round(2, 4, 10)
    assert dict(deliveries.lags) == {2: 3, 3: 3, 4: 4}


def test_deliveries_publish_both_kinds_of_stream(
    deliveries: Deliveries, counters: SharedCounters
) -> None:
    """The running total is the tokens of the loop and of the threads together."""
    deliveries.add_round(0, 0, 5)
    deliveries.publish_one()
    deliveries.publish_one()
    assert counters.deltas == 7


def test_deliveries_hand_out_lags_that_no_longer_change(deliveries: Deliveries) -> None:
    """A thread that a session left behind cannot change what is being reported."""
    deliveries.add_stream([0, 7])
    lags = deliveries.lags
    deliveries.add_stream([7])
    assert lags == {0: 1, 7: 1}


def test_counters_are_seen_by_whoever_maps_them() -> None:
    """One process reads the counters that the other writes."""
    ours, fd = SharedCounters.create()
    theirs = SharedCounters(fd)
    os.close(fd)
    theirs.set_sessions(done=3, errors=1)
    theirs.set_deltas_of_loop(1 << 40)
    assert (ours.done, ours.errors, ours.deltas) == (3, 1, 1 << 40)
