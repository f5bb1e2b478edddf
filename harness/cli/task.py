"""What every verb of `tasks.py` has in common: flags from its parameters, one clear line and an exit code for what goes wrong, and a world."""

import inspect
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from harness.cli.flags import HELP, LISTS, ON, SETTINGS, WITH_RESUME

if TYPE_CHECKING:
    from harness.typed import Typed
    from harness.world import Request, World


def verb(own: Mapping[str, str] | None = None) -> Callable[[Callable[..., None]], object]:
    """Make a task of a function: each of its parameters is a flag, whose help is its own or that of `HELP`."""

    def make(function: Callable[..., None]) -> object:
        names = list(inspect.signature(function).parameters)[1:]
        flags = [name.replace("_", "-") for name in names]
        texts = {flag: (own or {}).get(flag) or HELP[flag] for flag in flags}
        lists = [name for name in LISTS if name in names]
        return task(auto_shortflags=False, help=texts, iterable=lists)(function)

    return make


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn what goes wrong into one clear line and its exit code."""
    from harness.errors import HarnessError

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a table is worth more than its letters
    try:
        yield
        sys.stdout.flush()
    except HarnessError as error:
        raise Exit(str(error), code=error.exit_code) from error
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # it is flushed once more
        raise Exit("nobody reads what is printed any more", code=141) from None
    except KeyboardInterrupt as interrupt:
        raise Exit("interrupted", code=130) from interrupt
    except Exception as error:
        traceback.print_exc()
        raise Exit(f"internal error, please report it: {error!r}", code=70) from error


@contextmanager
def asked(c: Context, given: Mapping[str, object]) -> Iterator[tuple["World", "Request", "Typed"]]:
    """Settle what a task was given, before anything is reached, and then open the world."""
    with exit_codes():
        from harness import assembly

        typed = typed_words(c, given)
        request = assembly.make_request(typed)
        turn = assembly.find_turn(given)
        with assembly.open_world(typed.repo, box=request.settings.box, turn=turn) as world:
            yield world, request, typed


def typed_words(c: Context, given: Mapping[str, object]) -> "Typed":
    """Sort what a task was given, and what `INVOKE_*` and Invoke's configuration files set.

    Raises:
        UsageError: A run is to be resumed otherwise than it was planned.
    """
    from harness.typed import sort_words

    if given.get("resume"):
        _refuse_another_plan(given)
    return sort_words(given, {name: c.config[name] for name in SETTINGS})


def _refuse_another_plan(given: Mapping[str, object]) -> None:
    """Refuse, beside `--resume`, a flag that says otherwise than the stored plan."""
    from harness.errors import UsageError

    for name, value in given.items():
        if name not in WITH_RESUME and _is_touched(name, value):
            flag = f"--{'no-' if value is False else ''}{name.replace('_', '-')}"
            msg = f"{flag} is part of the stored plan, and not to be given with --resume"
            raise UsageError(msg, hint="leave it out, or start a new run")


def _is_touched(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value is not (name in ON)
    return isinstance(value, str | list) and bool(value)
