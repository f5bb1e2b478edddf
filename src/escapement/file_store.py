"""The store that keeps each session's checkpoint as one JSON file."""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from escapement.errors import CheckpointError
from escapement.event import Event
from escapement.store import Checkpoint

FORMAT = 1
NAME_MAX = 200  # bytes; file systems take 255, and the suffixes need some

_encode = json.JSONEncoder(separators=(",", ":")).encode


class FileBackedStore:
    """Keeps one JSON file a session in a directory, replaced atomically at each checkpoint.

    A process that dies leaves the last checkpoint or the one before, never a mixture. The files
    are not synchronised to the disk (no fsync): after a power failure the last ones may be lost.
    What JSON doesn't know comes back as its nearest kin: a tuple as a list, a number that is a key
    as text.

    Args:
        directory: Where the files are; it is made if it isn't there.
    """

    __slots__ = ("_prefix",)

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"{directory}: can't keep checkpoints there: {error}"
            raise CheckpointError(message) from error
        self._prefix = os.path.join(directory, "")  # noqa: PTH118  strings are cheaper than Path

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Write the checkpoint of a session to a new file, and put it in the old one's place.

        Raises:
            CheckpointError: Something in the record isn't JSON, or the file can't be written.
        """
        path = self._path(session_id)
        payload = _serialise(path, session_id, record).encode()
        temporary = path + ".tmp"
        try:
            # Four system calls: a buffered file would take nine for the same bytes.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                rest = memoryview(payload)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            finally:
                os.close(descriptor)
            os.replace(temporary, path)  # noqa: PTH105  strings are cheaper than Path
        except OSError as error:
            message = f"{path}: can't write the checkpoint: {error}; the one before still stands"
            raise CheckpointError(message) from error

    def load(self, session_id: str) -> Checkpoint | None:
        """Read the last checkpoint of a session, or none if there is no file.

        Raises:
            CheckpointError: The file can't be read, or isn't a checkpoint of this session.
        """
        path = self._path(session_id)
        try:
            payload = Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{path}: can't read the checkpoint: {error}"
            raise CheckpointError(message) from error
        try:
            return _parse(path, session_id, json.loads(payload))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            message = (
                f"{path}: not a checkpoint of session {session_id!r} ({error!r}); restore the file"
                " from a copy, or remove it to start the session anew"
            )
            raise CheckpointError(message) from error

    def _path(self, session_id: str) -> str:
        # Dots are encoded too, so that no id can end in the suffix of another file.
        name = quote(session_id, safe="", errors="surrogatepass").replace(".", "%2E")
        if len(name) > NAME_MAX:  # `%~` comes out of no encoding
            digest = sha256(name.encode()).hexdigest()
            name = f"{name[: NAME_MAX - len(digest)]}%~{digest}"
        return f"{self._prefix}{name}.json"


def _serialise(path: str, session_id: str, record: Checkpoint) -> str:
    try:
        return _encode(
            {
                "format": FORMAT,
                "session": session_id,
                "chart": record.chart_id,
                "configuration": record.configuration,
                "data": dict(record.data),
                "pending": [[event.name, event.data] for event in record.pending],
            }
        )
    except (TypeError, ValueError, RecursionError) as error:
        _blame(path, record, error)


def _blame(path: str, record: Checkpoint, error: Exception) -> NoReturn:
    values = [(f"data key {key!r}", value) for key, value in record.data.items()]
    values += [
        (f"the data of pending event {event.name!r}", event.data) for event in record.pending
    ]
    where = "the record"
    for name, value in values:
        try:
            _encode(value)
        except (TypeError, ValueError, RecursionError):
            where = name
            break
    message = f"{path}: {where} can't be written as JSON ({error}); keep plain values in it"
    raise CheckpointError(message) from error


def _parse(path: str, session_id: str, content: object) -> Checkpoint:
    if not isinstance(content, dict):
        raise TypeError(type(content).__name__)
    if content["format"] != FORMAT:
        problem = f"format {content['format']!r}, and this version reads {FORMAT}"
        raise ValueError(problem)
    if content["session"] != session_id:
        problem = f"it is of session {content['session']!r}"
        raise ValueError(problem)
    return Checkpoint(
        chart_id=_name(content["chart"]),
        configuration=tuple(_name(state_id) for state_id in content["configuration"]),
        data=dict(content["data"].items()),  # an AttributeError if it is no object
        pending=tuple(Event(_name(name), data) for name, data in content["pending"]),
        source=path,
    )


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value
