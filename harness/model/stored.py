"""What all stored values have in common."""

from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A whole number of something: as large as a reader in any language can take it, and none that is below zero."""

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
"""A measured quantity: beyond 1e15 ms, MB or seconds nothing is measured, and sums and products stay finite below."""

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number of 64 bits."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is stored: immutable, and strict about its fields."""
