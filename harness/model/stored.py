"""What all stored values have in common."""

import msgspec


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is stored: immutable, and strict about its fields."""
