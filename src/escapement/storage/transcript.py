"""The writer of a transcript file; errors are logged, not raised."""

import logging
import os
from collections.abc import Iterable
from os import O_APPEND, O_CREAT, O_RDWR, O_WRONLY
from pathlib import Path

from escapement.storage.files import close_file, open_file, write_all
from escapement.storage.json_line import Encode, make_encode

BATCH_MAX = 256  # rows per write

Row = tuple[str, dict[str, object]]  # the type, and fields other than `seq` and `type`

_logger = logging.getLogger("escapement")


class TranscriptWriter:
    """Appends rows to a file in batches; the file is open only during a batch.

    Rows are numbered from 0. A resumed session appends to the same file, and begins again with a
    `session-start` numbered 0.

    Attributes:
        lost: The number of rows that could not be written.
    """

    __slots__ = ("_next_seq", "_path", "_torn", "lost")

    def __init__(self, path: Path | str) -> None:
        self.lost = 0
        self._path = str(path)
        self._next_seq = 0
        self._torn = True  # the file may end in the middle of a line

    def write(self, rows: Iterable[Row]) -> None:
        """Append a batch; on failure count the lost rows, and log the first."""
        first = self._next_seq
        payload = self._encode(rows).encode()
        try:
            self._append(payload)
        except (OSError, ValueError) as error:  # ValueError: an invalid path
            if not self.lost:
                _logger.warning("%r: rows of the transcript are lost: %s", self._path, error)
            self.lost += self._next_seq - first
            self._torn = True
        else:
            self._torn = False

    def _append(self, payload: bytes) -> None:
        mode = O_RDWR if self._torn else O_WRONLY
        descriptor = open_file(self._path, mode | O_APPEND | O_CREAT)
        try:
            if self._torn and _is_torn(descriptor):
                payload = b"\n" + payload
            write_all(descriptor, payload)
        finally:
            close_file(descriptor)

    def _encode(self, rows: Iterable[Row]) -> str:
        lines: list[str] = []
        encode = make_encode()
        for kind, fields in rows:
            try:
                lines.append(self._line(encode, kind, fields))
            except Exception as error:  # noqa: BLE001  a mapping may raise anything
                # Not JSON, nested too deep, or modified by another thread meanwhile.
                encode = make_encode()
                reason = f"{kind}: not JSON, replaced by the next row: {_show(error)}"
                lines.append(self._line(encode, "error", {"message": reason}))
                lines.append(self._line(encode, kind, _plain(fields)))
        return "".join(lines)

    def _line(self, encode: Encode, kind: str, fields: dict[str, object]) -> str:
        line = encode({"seq": self._next_seq, "type": kind, **fields}) + "\n"
        self._next_seq += 1
        return line


def _is_torn(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {key: _plain_value(value) for key, value in fields.items()}


def _plain_value(value: object) -> object:
    try:
        make_encode()(value)
    except Exception:  # noqa: BLE001  the same
        return _show(value)
    return value


def _show(value: object) -> str:
    try:
        return str(value) if isinstance(value, BaseException) else repr(value)
    except Exception:  # noqa: BLE001  a broken repr must not end the writer
        return f"<unprintable {type(value).__name__}>"
