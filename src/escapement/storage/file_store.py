"""The store in files, one for each session."""

import os
import re
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from escapement.errors import CheckpointError
from escapement.storage.checkpoint_format import IncompatibleRecordError, parse, serialise
from escapement.storage.files import close_file, open_file, read_file, write_all
from escapement.storage.store import Checkpoint

NAME_MAX = 200  # bytes; file systems allow 255, including the suffixes

_is_plain_name = re.compile(rf"[A-Za-z0-9_~-]{{1,{NAME_MAX}}}").fullmatch


class FileBackedStore:
    """A store that atomically replaces one JSON file for each session in a directory.

    A killed process leaves its last checkpoint or the one before, never a mixture. The next save
    overwrites an unfinished file, and no load reads it. The files are not synchronised to the
    disk (no fsync): a power failure may lose the last ones, and the checksum detects torn ones.

    Run a session in one process at a time. If two processes save it at the same moment, one of
    them gets an error; otherwise the last save wins.

    JSON changes some types: a tuple becomes a list, and a number as a key inside a value becomes
    text. NaN and infinity are rejected.

    Args:
        directory: Made if missing; must be on a local file system.
    """

    __slots__ = ("_prefix",)

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = (
                f"{directory}: cannot store checkpoints there: {error}; use another directory"
            )
            raise CheckpointError(message) from error
        self._prefix = os.path.join(directory, "")  # noqa: PTH118  strings are cheaper than Path

    def save(self, session_id: str, record: Checkpoint) -> None:
        """Write the checkpoint of a session to a new file, and replace the old one.

        Raises:
            CheckpointError: A value is not JSON, the file cannot be written, or another process
                is writing it.
        """
        path = self._path(session_id)
        try:
            _replace(path, serialise(session_id, record))
        except BlockingIOError as error:
            message = (
                f"{path}: another process is saving session {session_id!r}; run it in one process"
                " at a time"
            )
            raise CheckpointError(message) from error
        except OSError as error:
            message = (
                f"{path}: cannot write the checkpoint: {error}; the previous checkpoint, if any,"
                " is unchanged"
            )
            raise CheckpointError(message) from error
        except ValueError as error:
            message = f"{path}: {error}"
            raise CheckpointError(message) from error

    def load(self, session_id: str) -> Checkpoint | None:
        """Return the last checkpoint of a session; None without a file.

        Raises:
            CheckpointError: The file cannot be read, or is no checkpoint of this session.
        """
        path = self._path(session_id)
        try:
            return parse(read_file(path), session_id, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{path}: cannot read the checkpoint: {error}; make it a readable file"
            raise CheckpointError(message) from error
        except IncompatibleRecordError as error:
            message = f"{path}: {error}"
            raise CheckpointError(message) from error
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            message = (
                f"{path}: not a checkpoint of session {session_id!r} ({error!r}); restore the file"
                " from a copy, or remove it to start the session again"
            )
            raise CheckpointError(message) from error

    def _path(self, session_id: str) -> str:
        if _is_plain_name(session_id):
            return f"{self._prefix}{session_id}.json"
        # Dots are encoded too, so that no id can end in the suffix of another file.
        name = quote(session_id, safe="", errors="surrogatepass").replace(".", "%2E")
        if len(name) > NAME_MAX:  # no encoded id contains `%~`
            digest = sha256(name.encode()).hexdigest()
            name = f"{name[: NAME_MAX - len(digest)]}%~{digest}"
        return f"{self._prefix}{name}.json"


def _replace(path: str, payload: bytes) -> None:
    temporary = path + ".tmp"
    while (descriptor := _open_locked(temporary)) is None:
        pass  # another process has just renamed it
    try:
        try:
            write_all(descriptor, payload)
            os.replace(temporary, path)  # noqa: PTH105  strings are cheaper than Path
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108  the same
            raise
    finally:
        close_file(descriptor)  # releases the lock: only after the file is in place


def _open_locked(temporary: str) -> int | None:
    """Open an empty temporary file, and lock it against other writers.

    While it is locked, no other process renames or removes it. But between opening and locking,
    another process may have renamed it into place.

    Returns:
        A descriptor; None if the file was renamed or removed meanwhile.

    Raises:
        BlockingIOError: Another writer has locked the file.
        OSError: The file cannot be opened.
    """
    descriptor = open_file(temporary, os.O_WRONLY | os.O_CREAT)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_nlink and not found.st_size:
            return descriptor  # an empty file is never renamed into place
        if found.st_nlink and os.path.samestat(found, os.stat(temporary)):  # noqa: PTH116
            os.ftruncate(descriptor, 0)  # left by a killed process
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        close_file(descriptor)
        raise
    close_file(descriptor)
    return None
