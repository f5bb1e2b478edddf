"""Streams whose tokens fall due together, and when each of them ends."""

import asyncio
from collections.abc import Callable
from typing import Self

OnDelta = Callable[[str], object]
Stream = asyncio.Future[None]


class Lane:
    """Streams that are served together, round by round, whatever each has left.

    A token costs the call of its stream's ``on_delta`` and nothing else: a stream is touched by itself only when it joins,
    ends or leaves, and when its lane meets a larger one.

    Attributes:
        streams: Who takes each stream's tokens, in order of arrival as long as lanes do not meet.
        round: The next that is to be served.
        ends: The streams that end in each round to come; some may have left since.
        into: The lane that this one has become part of.
    """

    __slots__ = ("ends", "into", "round", "streams")

    def __init__(self) -> None:
        self.streams: dict[Stream, OnDelta] = {}
        self.round = 0
        self.ends: dict[int, list[Stream]] = {}
        self.into: Lane | None = None

    @property
    def final(self) -> "Lane":
        """The position of this lane's streams."""
        lane = self
        while lane.into is not None:
            lane = lane.into
        return lane

    def add(self, stream: Stream, on_delta: OnDelta, tokens: int) -> None:
        """Let a stream in, whose first token is that of the next round.

        Args:
            stream: What is to end.
            on_delta: Takes the tokens.
            tokens: How many; the stream ends in the round after its last.
        """
        self.streams[stream] = on_delta
        self.ending_in(self.round + tokens).append(stream)

    def next_round(self) -> list[Stream]:
        """Advance to the next round; return the streams that end in it."""
        ended = self.ends.pop(self.round, ())
        self.round += 1
        return [stream for stream in ended if self.streams.pop(stream, None) is not None]

    def meet(self, other: Self) -> "Lane":
        """Become one with a lane that is due in the same tick.

        Returns:
            The larger of the two, which now has the streams of both.
        """
        large, small = (self, other) if len(self.streams) >= len(other.streams) else (other, self)
        large.streams.update(small.streams)
        for number, ending in small.ends.items():
            large.ending_in(number - small.round + large.round).extend(ending)
        small.into = large
        small.streams, small.ends = {}, {}
        return large

    def ending_in(self, number: int) -> list[Stream]:
        """Return the streams that end in a round, to add to them."""
        there = self.ends.get(number)
        if there is None:
            there = self.ends[number] = []
        return there
