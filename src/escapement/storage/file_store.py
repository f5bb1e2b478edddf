"""The store that keeps each session's checkpoint as one file."""

import os
import re
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from escapement.errors import CheckpointError
from escapement.storage.checkpoint_format import NotHereError, parse, serialise
from escapement.storage.files import close_file, open_file, read_file, write_all
from escapement.storage.store import Checkpoint

NAME_MAX = 200  # bytes; file systems take 255, and the suffixes need some

_needs_no_quotes = re.compile(rf"[A-Za-z0-9_~-]{{1,{NAME_MAX}}}").fullmatch


class FileBackedStore:
    """Keeps one JSON file a session in a directory, replaced atomically at each checkpoint.

    A process that dies leaves the last checkpoint or the one before, never a mixture; what it left
    of the next one is overwritten by the next save and never read. The files are not synchronised
    to the disk (no fsync): after a power failure the last ones may be lost, and a record that the
    failure tore is found out by its checksum.

    A session is for one process at a time. Two that save it at the same moment can't mix their
    records: one of them gets an error. If they never meet, the last one to save wins.

    What JSON doesn't know comes back as its nearest kin: a tuple as a list, a number that is a key
    inside of a value as text. NaN and infinity are refused.

    Args:
        directory: Where the files are, on a local file system; it is made if it isn't there.
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
            CheckpointError: Something in the record isn't JSON, the file can't be written, or
                another process is writing it.
        """
        path = self._path(session_id)
        try:
            _replace(path, serialise(session_id, record))
        except BlockingIOError as error:
            message = (
                f"{path}: another process is saving session {session_id!r} at this moment; let one"
                " alone run it"
            )
            raise CheckpointError(message) from error
        except OSError as error:
            message = (
                f"{path}: can't write the checkpoint: {error}; the one before, if there is one,"
                " still stands"
            )
            raise CheckpointError(message) from error
        except ValueError as error:
            message = f"{path}: {error}"
            raise CheckpointError(message) from error

    def load(self, session_id: str) -> Checkpoint | None:
        """Read the last checkpoint of a session, or none if there is no file.

        Raises:
            CheckpointError: The file can't be read, or isn't a checkpoint of this session.
        """
        path = self._path(session_id)
        try:
            return parse(read_file(path), session_id, path)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{path}: can't read the checkpoint: {error}; see that it is a readable file"
            raise CheckpointError(message) from error
        except NotHereError as error:
            message = f"{path}: {error}"
            raise CheckpointError(message) from error
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            message = (
                f"{path}: not a checkpoint of session {session_id!r} ({error!r}); restore the file"
                " from a copy, or remove it to start the session anew"
            )
            raise CheckpointError(message) from error

    def _path(self, session_id: str) -> str:
        if _needs_no_quotes(session_id):
            return f"{self._prefix}{session_id}.json"
        # Dots are encoded too, so that no id can end in the suffix of another file.
        name = quote(session_id, safe="", errors="surrogatepass").replace(".", "%2E")
        if len(name) > NAME_MAX:  # `%~` comes out of no encoding
            digest = sha256(name.encode()).hexdigest()
            name = f"{name[: NAME_MAX - len(digest)]}%~{digest}"
        return f"{self._prefix}{name}.json"


def _replace(path: str, payload: bytes) -> None:
    temporary = path + ".tmp"
    while (descriptor := _claim(temporary)) is None:
        pass  # another process has just put it in place
    try:
        try:
            write_all(descriptor, payload)
            os.replace(temporary, path)  # noqa: PTH105  strings are cheaper than Path
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108  the same
            raise
    finally:
        close_file(descriptor)  # which lets the lock go: never before the file is in its place


def _claim(temporary: str) -> int | None:
    """Open an empty temporary file, and lock it against everybody who would write to it too.

    The name leads to one file as long as that is locked: nobody replaces or removes it without the
    lock. But between opening and locking, somebody else may have put it in place as a record.

    Returns:
        A descriptor, or none if the file has another name by now or none at all.

    Raises:
        BlockingIOError: Somebody else has locked it.
        OSError: It can't be opened.
    """
    descriptor = open_file(temporary, os.O_WRONLY | os.O_CREAT)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_nlink and not found.st_size:
            return descriptor  # nobody has put an empty file in place
        if found.st_nlink and os.path.samestat(found, os.stat(temporary)):  # noqa: PTH116
            os.ftruncate(descriptor, 0)  # what somebody left who was killed
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        close_file(descriptor)
        raise
    close_file(descriptor)
    return None
