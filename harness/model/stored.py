"""Number types with bounds, and the base class of all stored values."""

from typing import Annotated

import msgspec

MOST = 2**53
Natural = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""A whole number from zero to the largest that JSON readers keep exact."""

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
"""A measured quantity; the bound keeps sums and products finite."""

Finite = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""A quantity that may be negative, such as a slope."""

Positive = Annotated[float, msgspec.Meta(ge=1e-6, le=1e15)]
"""A quantity that is safe to divide by."""

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A signed whole number of 64 bits."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stored value: immutable, and without unknown fields."""
