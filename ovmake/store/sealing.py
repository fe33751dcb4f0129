"""Seals: a MAC on each row of the state database, to recognise the rows that this user's ovmake wrote.

    sealer = Sealer(key)
    sealer.seal("results", digest, body) -> bytes       stored in the row
    sealer.check(seal, "results", digest, body)         when the row is read

A seal covers the table and all columns, the key too; so a row cannot be copied to a different key. `used_s` is the
exception: it only decides what `gc` drops first, and changes often.
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
        """Check that this user's ovmake wrote the row, unchanged since.

        Raises:
            sqlite3.DatabaseError: the row is damaged, or somebody else wrote it.
        """
        if found != self.seal(table, *values):
            raise sqlite3.DatabaseError("malformed row: its seal is wrong")

    @property
    def owner(self) -> bytes:
        """The seal that identifies the owner of a database."""
        return self.seal(OWNER)
