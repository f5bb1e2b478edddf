"""From a function over flags to a task of Invoke, with an exit code for each error."""

import inspect
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from harness.cli.flags import CONFIGURED, Flag, Flags
from harness.model.errors import HarnessError
from harness.model.request import Request

if TYPE_CHECKING:
    from harness.verbs.ports import World


def verb(
    *flags: Flag[Any], name: str | None = None
) -> Callable[[Callable[[Flags], None]], Task[Any]]:
    """Make a task of a function that receives the flags of a call.

    Args:
        flags: The flags that the task accepts, in the order of its help.
        name: The task's name, where it is not the function's.
    """

    def make(function: Callable[[Flags], None]) -> Task[Any]:
        def body(c: Context, **typed: object) -> None:
            with exit_codes():
                call = Flags(
                    typed=typed,
                    declared={flag.name: flag for flag in flags},
                    environ=os.environ,
                    invoke={flag.parameter: c.config[flag.parameter] for flag in CONFIGURED},
                )
                call.check()
                function(call)

        body.__name__, body.__doc__ = function.__name__, function.__doc__
        body.__signature__ = _signature(flags)  # type: ignore[attr-defined]  # Invoke reads it
        made: Task[Any] = task(
            name=name,
            auto_shortflags=False,
            help={flag.name: flag.help for flag in flags},
            iterable=[flag.parameter for flag in flags if flag.is_repeatable],
        )(body)
        return made

    return make


def open_session(flags: Flags) -> AbstractContextManager[tuple["World", Request]]:
    """Open the adapters of a call, and import them only now; see `wiring`."""
    from harness.cli import wiring

    return wiring.open_session(flags)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn an error into one line on standard error and an exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # print the table in any encoding
    try:
        yield
        sys.stdout.flush()
    except HarnessError as error:
        raise Exit(str(error), code=error.exit_code) from error
    except BrokenPipeError:
        # the interpreter flushes standard output once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit("standard output was closed", code=141) from None
    except KeyboardInterrupt as interrupt:
        raise Exit("interrupted", code=130) from interrupt
    except Exception as error:
        traceback.print_exc()
        raise Exit(f"internal error, please report it: {error!r}", code=70) from error


def _signature(flags: tuple[Flag[Any], ...]) -> inspect.Signature:
    kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter("c", kind),
            *(
                inspect.Parameter(
                    flag.parameter, kind, default=empty if flag.is_positional else flag.untouched
                )
                for flag in flags
            ),
        ]
    )
