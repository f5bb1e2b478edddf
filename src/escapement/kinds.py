"""Where the workers of a session run: chosen once, by the environment and by what the backend can do."""

import os
from typing import Literal

from escapement.llm import LLMBackend

Kind = Literal["platform", "virtual"]


def choose_kind(llm: LLMBackend, *, in_loop: bool) -> Kind:
    """Choose where a session's workers run, by `ESCAPEMENT_WORKERS`.

    Args:
        llm: Virtual workers need one that can be awaited.
        in_loop: The session runs on an event loop already.

    Raises:
        ValueError: The variable is none of its values, or asks for what the backend can't do.
    """
    wanted = os.environ.get("ESCAPEMENT_WORKERS") or "auto"
    can_be_awaited = callable(getattr(llm, "astream", None))
    if wanted == "auto":
        return "virtual" if in_loop and can_be_awaited else "platform"
    if wanted == "platform":
        return "platform"
    if wanted != "virtual":
        message = f"ESCAPEMENT_WORKERS is {wanted!r}; allowed: platform, virtual, auto"
        raise ValueError(message)
    if not can_be_awaited:
        name = type(llm).__name__
        message = f"ESCAPEMENT_WORKERS=virtual needs a backend with astream(), and {name} has none"
        raise ValueError(message)
    return "virtual"
