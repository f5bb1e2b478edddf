"""JSON text on one line, without what `json.JSONEncoder.encode` sets up for each call."""

import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import NoReturn

Encode = Callable[[object], str]  # TypeError, ValueError, RecursionError: it isn't JSON

_plain_encode: Encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

try:
    from _json import make_encoder as _make_c_encoder
except ImportError:  # an interpreter without it
    _make_c_encoder = None  # type: ignore[assignment, misc]


def make_encode() -> Encode:
    """Make a function that turns plain values into JSON, in ASCII; NaN and infinity are refused.

    It is for one thread and for a few values: it remembers what it is in the middle of, and an
    error leaves it there, so make a new one after an error.
    """
    if _make_c_encoder is None:
        return _plain_encode
    options = (None, ":", ",", False, False, False)  # indent, separators, and what is allowed
    encode = _make_c_encoder({}, _refuse, encode_basestring_ascii, *options)
    return lambda value: "".join(encode(value, 0))


def _refuse(value: object) -> NoReturn:
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)
