"""The transcript's file: rows in, numbered lines of JSON out, and no fault passed on."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path

BATCH_MAX = 256  # rows a write

Row = tuple[str, dict[str, object]]  # the type, and the other fields

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_logger = logging.getLogger("escapement")


class Scribe:
    """Appends rows to a file in batches, and holds it open for no longer than a batch takes.

    Rows are numbered from 0 on. A session that is resumed appends to the same file: its rows begin
    with another `session-start`, which is numbered 0 again.

    Attributes:
        lost: How many rows could not be written.
    """

    __slots__ = ("_next_seq", "_path", "_torn", "lost")

    def __init__(self, path: Path) -> None:
        self.lost = 0
        self._path = path
        self._next_seq = 0
        self._torn = True  # what is in the file may end in the middle of a line

    def write(self, rows: Iterable[Row]) -> None:
        """Append a batch; a write that fails is counted, and reported the first time."""
        lines = [line for row in rows for line in self._lines(*row)]
        payload = "".join(lines).encode()
        try:
            with self._path.open("a+b") as file:
                if self._torn and file.tell():
                    file.seek(-1, 2)
                    payload = payload if file.read(1) == b"\n" else b"\n" + payload
                file.write(payload)
        except OSError as error:
            if not self.lost:
                _logger.warning("%s: rows of the transcript are lost: %s", self._path, error)
            self.lost += len(lines)
            self._torn = True
        else:
            self._torn = False

    def _lines(self, kind: str, fields: dict[str, object]) -> list[str]:
        try:
            return [self._line(kind, fields)]
        except (TypeError, ValueError, RuntimeError) as error:
            # RuntimeError: nested too deep, or changed by another thread while it was encoded.
            reason = f"{kind}: not JSON, so the next row stands for it: {error}"
            return [self._line("error", {"message": reason}), self._line(kind, _plain(fields))]

    def _line(self, kind: str, fields: dict[str, object]) -> str:
        row = {"seq": self._next_seq, "type": kind, **fields}
        line = _encode(row) + "\n"
        self._next_seq += 1
        return line


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {key: _plain_value(value) for key, value in fields.items()}


def _plain_value(value: object) -> object:
    try:
        _encode(value)
    except (TypeError, ValueError, RuntimeError):
        try:
            return repr(value)
        except Exception:  # noqa: BLE001  a broken repr must not take the writer down
            return f"<unprintable {type(value).__name__}>"
    return value
