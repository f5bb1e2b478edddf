"""What all stored values have in common."""

from typing import Annotated

import msgspec

MOST = 2**53
Natural = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""A whole number of something: as large as a reader in any language can take it, and none that is below zero."""

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
"""A measured quantity: beyond 1e15 ms, MB or seconds nothing is measured, and sums and products stay finite below."""

Finite = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""The same of what may be below zero, as a slope."""

Positive = Annotated[float, msgspec.Meta(ge=1e-6, le=1e15)]
"""The same of what is divided by: it is not next to nothing."""

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is stored: immutable, and strict about its fields."""
