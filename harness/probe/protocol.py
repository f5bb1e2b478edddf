"""Write the lines of the protocol: one word, one space, one JSON map."""

import json
from collections.abc import Mapping
from typing import Literal, TextIO

Word = Literal["CAPS", "PROGRESS", "RESULT", "OUTCOME", "COUNT"]


def write_line(out: TextIO, word: Word, body: Mapping[str, object]) -> None:
    """Write one line and flush it; the map keeps the order of its keys."""
    out.write(f"{word} {json.dumps(body, allow_nan=False)}\n")
    out.flush()


def write_pretty(out: TextIO, body: Mapping[str, object]) -> None:
    """Write a map for people: one key per line, sorted."""
    rows = (f"  {json.dumps(key)}: {json.dumps(body[key])}" for key in sorted(body))
    out.write("{\n" + ",\n".join(rows) + "\n}\n")
    out.flush()
