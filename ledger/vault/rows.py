"""The port of the vault's rows, which are sealed and hashed before they come here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, Protocol, TypeVar

HASHES_PER_QUERY = 8_192
NUMBER_MAX = 999_999_999
"""A recipient's id has nine digits."""
GAPS = """
SELECT before+1, number-1
FROM (SELECT number, COALESCE(LAG(number) OVER (ORDER BY number), 0) AS before FROM {person}) AS people
WHERE number>before+1 ORDER BY 1
"""
"""The ranges of numbers below the highest that nobody in the table has."""
OUT_OF_RANGE = "SELECT DISTINCT number FROM {person} WHERE number<1 OR number>{most} ORDER BY number LIMIT 20"

Index = Literal["identity", "account"]
"""Of national ids, where a hash leads to one number; of accounts, where it leads to each whom the account serves."""

Entry = tuple[bytes, int]
"""Of an index: a keyed hash, and the number that it leads to."""

T = TypeVar("T")


class PersonRow(NamedTuple):
    """One version of a person's data."""

    number: int
    version: int
    """1 for what they were registered with, then one more for each correction."""
    agreement: str
    """The act that this version waits for, or empty: such a row is the person's data."""
    sealed: bytes


class NewPerson(NamedTuple):
    """A row, and the hashes that lead to its number."""

    row: PersonRow
    identity: bytes
    account: bytes | None


class MarkRow(NamedTuple):
    """What stays of an erased person where the officers named a legal basis for keeping it."""

    mac: bytes
    """The hash that the index of national ids had of them."""
    number: int
    sealed: bytes


class RefusedRow(NamedTuple):
    """What stays of a row of a file that was refused, until its term ends."""

    file: str
    """The SHA-256 of the file, in hex."""
    line: int
    mac: bytes
    """The hash of the national id in it."""
    sealed: bytes


class Stored(NamedTuple):
    """All that a vault holds, in one piece, for a vault that is written anew."""

    people: Sequence[PersonRow]
    identity: Sequence[tuple[bytes, int]]
    account: Sequence[tuple[bytes, int]]
    marks: Sequence[MarkRow]
    refused: Sequence[RefusedRow]


class PersonRows(Protocol):
    """The vault's tables. Every method may raise a refusal, and then nothing has changed."""

    def create(self, keyring: Callable[[], bytes]) -> None:
        """Make what is not there yet; the wrapped keyring is asked for where there is none, while nobody else makes one."""

    def close(self) -> None: ...

    def keyring(self) -> bytes | None:
        """The wrapped keyring; None where there is no vault. Raises `VaultOlderError` for a vault of an earlier format."""

    def alone(self, work: Callable[[], T]) -> T:
        """Run work in one transaction while nobody else adds; it may be run again when the database was lost."""

    def rehearsal(self) -> AbstractContextManager[None]:
        """Undo at the end of the block whatever is added in it."""

    def of_ids(self, macs: Sequence[bytes]) -> dict[bytes, int]:
        """Hash of a national id → number, of the people who are there."""

    def holders(self, macs: Sequence[bytes]) -> set[tuple[bytes, int]]:
        """Hash of an account and number, of each person whom one of these accounts serves."""

    def people(self, numbers: Sequence[int]) -> Iterator[PersonRow]:
        """The rows of these people, in any order."""

    def highest(self) -> int:
        """The highest number that was ever given; 0 where none was."""

    def last(self) -> int:
        """The highest number that somebody has; 0 where nobody is there."""

    def out_of_range(self) -> list[int]:
        """Numbers of people that no recipient can have, at most a few of them."""

    def add(self, people: Sequence[NewPerson]) -> None:
        """Store people, in order of their numbers; within `alone` or a rehearsal."""

    def count(self) -> int:
        """How many rows of people there are."""

    def page(self, after: int, limit: int) -> list[PersonRow]:
        """The rows of so many people in order, from a number on; all rows of each."""

    def missing(self, index: Index, entries: Sequence[Entry]) -> set[Entry]:
        """Those of these entries that an index does not have."""

    def meeting(self) -> Iterator[list[int]]:
        """The numbers of the people whom one account serves, of each account that serves several."""

    def between(self, first: int, last: int, limit: int) -> list[PersonRow]:
        """The rows of people from one number to another, both included, in order, at most so many."""

    def following(self, number: int) -> int | None:
        """The lowest number from this one on that somebody has."""

    def entries(self, index: Index) -> Iterator[Entry]:
        """Every entry of an index, in any order."""

    def entry_count(self, index: Index) -> int:
        """How many entries an index has."""

    def marks(self) -> list[MarkRow]:
        """What stays of erased people."""

    def refused(self) -> list[RefusedRow]:
        """What stays of refused rows."""

    def absent(self) -> list[tuple[int, int]]:
        """The numbers that nobody there has, in ranges (first, last); the last range ends with the highest number."""

    def remove(self, number: int) -> None:
        """Delete a person's rows and whatever leads to them; within `alone`.

        It looks through the whole indexes, so that no key is needed. The bytes may remain in the file until `forget`.
        """

    def forget(self) -> list[str]:
        """Overwrite the bytes of deleted rows; returns a sentence for each step that only somebody else can take."""

    def follow(self, people: Sequence[NewPerson], after: int, until: int) -> None:
        """Replace the people between two numbers by these, and never give a number up to the second again."""

    def replace(self, stored: Stored, keyring: bytes) -> None:
        """Put other rows and another keyring in the place of all that there are; within `alone`."""
