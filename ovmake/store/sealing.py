"""Rows with seals: which of the state database's this user's ovmake wrote.

    sealer = Sealer(key)
    sealer.seal("results", digest, body) -> bytes       kept beside the row
    sealer.check(seal, "results", digest, body)         of a row that was read

A seal covers the table and all that the row says, its key too, so that no row can stand for another. `used_s` is left
out: it says what `gc` drops first, and changes often.
"""

from __future__ import annotations

import sqlite3

from ovmake.seal import seal

OWNER = "owner"
Value = str | int | bytes | None


class Sealer:
    """Makes and checks the seals of one user."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def seal(self, table: str, *values: Value) -> bytes:
        """Return the seal of a row."""
        return seal(self.key, repr((table, *values)).encode(errors="surrogateescape"))

    def check(self, found: Value, table: str, *values: Value) -> None:
        """See that a row is as this user's ovmake wrote it.

        Raises:
            sqlite3.DatabaseError: it is not: damaged, or put there by somebody else.
        """
        if found != self.seal(table, *values):
            raise sqlite3.DatabaseError("a row makes no sense: its seal is wrong")

    @property
    def owner(self) -> bytes:
        """The seal that says whose a database is."""
        return self.seal(OWNER)
