"""The lines of the protocol: one word, one space, one JSON map."""

import json
from collections.abc import Mapping
from typing import Literal, TextIO

Word = Literal["CAPS", "PROGRESS", "RESULT", "OUTCOME", "COUNT"]


def write_line(out: TextIO, word: Word, body: Mapping[str, object]) -> None:
    """Write one line, and see it off.

    Args:
        out: Standard output, of the supervisor or of what is counted.
        word: What the map is.
        body: The map, in the order in which its keys shall stand.
    """
    out.write(f"{word} {json.dumps(body, allow_nan=False)}\n")
    out.flush()


def write_pretty(out: TextIO, body: Mapping[str, object]) -> None:
    """Write a map for people: one key a line, sorted."""
    rows = (f"  {json.dumps(key)}: {json.dumps(body[key])}" for key in sorted(body))
    out.write("{\n" + ",\n".join(rows) + "\n}\n")
    out.flush()
