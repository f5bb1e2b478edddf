"""A batch of streams: their tokens are due in the same ticks."""

import asyncio
from collections.abc import Callable
from typing import Self

OnDelta = Callable[[str], object]
Stream = asyncio.Future[None]


class Batch:
    """Streams that are served together, round by round, whatever each has left.

    A token costs one call of its stream's ``on_delta`` and nothing else. A single stream is
    handled only when it joins, ends or leaves, and when its batch merges into a larger one.

    Attributes:
        streams: The callback of each stream, in order of arrival until batches merge.
        round: The next round.
        ends: The streams that end in each later round; some may have left since.
        merged_into: The batch that has taken over these streams.
    """

    __slots__ = ("ends", "merged_into", "round", "streams")

    def __init__(self) -> None:
        self.streams: dict[Stream, OnDelta] = {}
        self.round = 0
        self.ends: dict[int, list[Stream]] = {}
        self.merged_into: Batch | None = None

    @property
    def current(self) -> "Batch":
        """Return the batch that holds these streams now."""
        batch = self
        while batch.merged_into is not None:
            batch = batch.merged_into
        return batch

    def add(self, stream: Stream, on_delta: OnDelta, tokens: int) -> None:
        """Add a stream: its first token comes in the next round."""
        self.streams[stream] = on_delta
        self.ending_in(self.round + tokens).append(stream)

    def next_round(self) -> list[Stream]:
        """Advance by one round; remove and return the streams that end in it."""
        ended = self.ends.pop(self.round, ())
        self.round += 1
        return [stream for stream in ended if self.streams.pop(stream, None) is not None]

    def merge(self, other: Self) -> "Batch":
        """Merge with a batch that is due in the same tick.

        Returns:
            The larger of the two, which now holds the streams of both.
        """
        large, small = (self, other) if len(self.streams) >= len(other.streams) else (other, self)
        large.streams.update(small.streams)
        for number, ending in small.ends.items():
            large.ending_in(number - small.round + large.round).extend(ending)
        small.merged_into = large
        small.streams, small.ends = {}, {}
        return large

    def ending_in(self, number: int) -> list[Stream]:
        """Return the list of streams that end in a round, for additions."""
        there = self.ends.get(number)
        if there is None:
            there = self.ends[number] = []
        return there
