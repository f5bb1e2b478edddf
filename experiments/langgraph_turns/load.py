"""The load of both programs: turns, tokens, and state per turn."""

from dataclasses import dataclass

PIECE = "token "
CHUNK = "x" * 1024  # what a turn adds to the state


@dataclass(frozen=True, slots=True)
class Load:
    """The work of one run.

    Args:
        sessions: How many run at once in one event loop.
        turns: Turns of each session.
        tokens: Tokens of each turn's answer.
    """

    sessions: int
    turns: int
    tokens: int

    @property
    def turns_total(self) -> int:
        """Turns of all sessions together."""
        return self.sessions * self.turns

    @property
    def tokens_total(self) -> int:
        """Tokens of all sessions together."""
        return self.turns_total * self.tokens


def chunk_of(count: int) -> str:
    """Return 1 KB of state that differs in every turn."""
    return f"{count:08d}{CHUNK[8:]}"


def session_name(index: int) -> str:
    """Return the id of a session, or thread."""
    return f"session-{index}"
