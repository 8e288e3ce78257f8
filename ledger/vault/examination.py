"""Holds the vault against what the events say: every row's commitment, both indexes, and what belongs to nobody.

Needs the key: without it nothing here can be recomputed. Numbers are gone through in order, so that memory does not grow
with the vault.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import NamedTuple, Protocol

from ledger.vault.keys import person_place
from ledger.vault.person import commitment_of, person_of
from ledger.vault.rows import NUMBER_MAX, Index, PersonRow
from ledger.vault.vault import Vault

PAGE_PEOPLE = 8_192


class Known(NamedTuple):
    """What the events say of a person."""

    commitment: str
    shares_account: bool
    """Whether a reason is recorded why their account may serve others."""


class Finding(NamedTuple):
    """Something in the vault that is not what the events say."""

    number: int | None
    """The recipient's number; None for what belongs to nobody."""
    detail: str
    is_notice: bool = False


class Events(Protocol):
    """What the events say of people."""

    def last(self) -> int:
        """The highest number that is registered; 0 where none is."""

    def registered(self, first: int, last: int) -> dict[int, Known]:
        """Number → what they were registered with, of the numbers from one to another, both included."""

    def erased(self, numbers: Collection[int]) -> set[int]:
        """Those of these people who are erased."""


class _Person(NamedTuple):
    """One person's row, opened."""

    number: int
    commitment: str
    national_id: str
    account: str
    identity: bytes
    account_mac: bytes | None


class Examination:
    """One pass over a vault; `findings` is to be gone through to its end."""

    def __init__(self, vault: Vault, events: Events, on_progress: Callable[[int], None] = lambda _: None) -> None:
        self._vault = vault
        self._events = events
        # Before the vault is read: whoever is registered by now was in the vault before.
        self._last = events.last()
        self._on_progress = on_progress
        self.people = 0
        """How many rows were examined."""
        self._expected: dict[Index, int] = {"identity": 0, "account": 0}

    def findings(self) -> Iterator[Finding]:
        """Whatever is not as it should be; people in order of their numbers, then what belongs to nobody."""
        rows, after = self._vault.rows, 0
        while page := rows.page(after, PAGE_PEOPLE):
            until = page[-1].number
            yield from self._page(page, self._events.registered(after + 1, until))
            after = until
        for first in range(after + 1, self._last + 1, PAGE_PEOPLE):
            yield from self._page([], self._events.registered(first, min(first + PAGE_PEOPLE - 1, self._last)))
        yield from self._counter(after)
        for index in ("identity", "account"):
            yield from self._strays(index)
        for mark in rows.marks():
            yield Finding(mark.number, "a mark lies in the vault that no event commits to")
        for refused in rows.refused():
            yield Finding(None, f"what is kept of line {refused.line} of file {refused.file} is in no event")

    def _page(self, page: Sequence[PersonRow], known: dict[int, Known]) -> Iterator[Finding]:
        opened: list[_Person] = []
        seen: set[int] = set()
        self.people += len(page)
        self._on_progress(len(page))
        for number, rows in groupby(page, attrgetter("number")):
            seen.add(number)
            found = list(self._opened(number, list(rows)))
            opened += (each for each in found if isinstance(each, _Person))
            yield from (each for each in found if isinstance(each, Finding))
        if missing := known.keys() - seen:
            for number in sorted(missing - self._events.erased(missing)):
                yield Finding(number, "is registered, and not in the vault; put a copy of the vault back")
        persons = self._hashed(opened)
        yield from self._commitments(persons, known)
        yield from self._indexed(persons, known)

    def _opened(self, number: int, rows: list[PersonRow]) -> Iterator["_Person | Finding"]:
        keyring = self._vault.keyring
        for row in rows:
            if (row.version, row.agreement) != (1, ""):
                yield Finding(number, f"version {row.version} lies in the vault, and no event speaks of it")
                continue
            plain = keyring.opened(row.sealed, person_place(*row[:3]))
            if plain is None:
                yield Finding(number, "the row does not open in its place: it was changed, or is another's")
                continue
            try:
                person = person_of(plain)
            except (ValueError, KeyError):
                yield Finding(number, "the row is of no form that is known")
                continue
            yield _Person(number, commitment_of(plain), person.national_id, person.account, b"", None)
        if all((row.version, row.agreement) != (1, "") for row in rows):
            yield Finding(number, "the row that they were registered with is not in the vault")

    def _hashed(self, opened: list[_Person]) -> list[_Person]:
        keyring = self._vault.keyring
        identities = keyring.ids([each.national_id for each in opened])
        accounts = keyring.accounts(each.account for each in opened if each.account)
        return [
            each._replace(identity=identity, account_mac=accounts.get(each.account))
            for each, identity in zip(opened, identities, strict=True)
        ]

    def _commitments(self, persons: list[_Person], known: dict[int, Known]) -> Iterator[Finding]:
        for person in persons:
            if (said := known.get(person.number)) is None:
                yield Finding(
                    person.number,
                    "is in the vault and not registered: an import was interrupted; import the same file again",
                    is_notice=True,
                )
            elif said.commitment != person.commitment:
                yield Finding(person.number, "the vault holds other data than was registered: the commitment differs")

    def _indexed(self, persons: list[_Person], known: dict[int, Known]) -> Iterator[Finding]:
        leads = self._vault.rows.of_ids([each.identity for each in persons])
        holders = self._vault.rows.holders(list({each.account_mac for each in persons if each.account_mac is not None}))
        by_account: dict[bytes, list[int]] = {}
        for mac, number in holders:
            by_account.setdefault(mac, []).append(number)
        for person in persons:
            self._expected["identity"] += 1
            to = leads.get(person.identity)
            if to != person.number:
                where = f"R{to:09d}" if to is not None else "nobody"
                yield Finding(person.number, f"the index of national ids leads from theirs to {where}")
            if person.account_mac is None:
                continue
            self._expected["account"] += 1
            serves = by_account.get(person.account_mac, [])
            if person.number not in serves:
                yield Finding(person.number, "the index of accounts does not lead from theirs to them")
            if len(serves) > 1:
                yield from self._meeting(person.number, serves, known)

    def _meeting(self, number: int, serves: list[int], known: dict[int, Known]) -> Iterator[Finding]:
        """People whose accounts meet without a recorded reason; told once for each but the first."""
        without = [each for each in serves if not self._shares(each, known)]
        if len(without) > 1 and number in without and number != min(without):
            others = ", ".join(f"R{each:09d}" for each in sorted(without) if each != number)
            yield Finding(number, f"has one account with {others}, and no reason is recorded", is_notice=True)

    def _shares(self, number: int, known: dict[int, Known]) -> bool:
        said = known.get(number) or self._events.registered(number, number).get(number)
        return said is None or said.shares_account

    def _counter(self, last_in_vault: int) -> Iterator[Finding]:
        highest = self._vault.rows.highest()
        # The number of who was registered and erased since is not in the vault, but it is in the events.
        should = max(last_in_vault, self._last)
        if highest != should or highest > NUMBER_MAX:
            yield Finding(None, f"the vault says that it has given the numbers up to {highest}; it has up to {should}")

    def _strays(self, index: Index) -> Iterator[Finding]:
        """Entries that belong to nobody; the whole index is gone through only where it has too many or too few."""
        rows = self._vault.rows
        what = "national ids" if index == "identity" else "accounts"
        if rows.entry_count(index) == self._expected[index]:
            return
        entries = rows.entries(index)
        while page := list(islice(entries, PAGE_PEOPLE)):
            numbers = sorted({number for _, number in page if 0 < number <= NUMBER_MAX})
            theirs = {number: self._hash_of(row, index) for row in rows.people(numbers) for number in [row.number]}
            for mac, number in page:
                if theirs.get(number, b"") not in (mac, None):
                    yield Finding(number, f"the index of {what} has an entry that leads to them and is not theirs")

    def _hash_of(self, row: PersonRow, index: Index) -> bytes | None:
        """The hash that leads to a person; empty where none does, None where their row, which is named, does not open."""
        for person in self._hashed([each for each in self._opened(row.number, [row]) if isinstance(each, _Person)]):
            return person.identity if index == "identity" else person.account_mac or b""
        return None
