"""JSON text on one line, without the repeated setup of `json.dumps`."""

import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from typing import NoReturn

Encode = Callable[[object], str]  # raises TypeError, ValueError or RecursionError: not JSON

_plain_encode: Encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

try:
    from _json import make_encoder as _make_c_encoder
except ImportError:  # an interpreter without the C accelerator
    _make_c_encoder = None  # type: ignore[assignment, misc]


def make_encode() -> Encode:
    """Return an encoder of plain values as ASCII JSON; it rejects NaN.

    Use it in one thread and for a few values. It tracks the values that it is encoding, and does
    not reset them after an error: make a new one then.
    """
    if _make_c_encoder is None:
        return _plain_encode
    options = (None, ":", ",", False, False, False)  # indent, separators, sorting, skipping, NaN
    encode = _make_c_encoder({}, _reject, encode_basestring_ascii, *options)
    return lambda value: "".join(encode(value, 0))


def _reject(value: object) -> NoReturn:
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)
