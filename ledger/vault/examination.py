"""Holds the vault against what the events say: every row's commitment, both indexes, and what belongs to nobody.

Needs the key: without it nothing here can be recomputed. Numbers are gone through in order, so that memory does not grow
with the vault. Of a sound page nothing is looked at singly; only what differs is looked into.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag

from ledger.vault.keys import NONCE_BYTES, person_place
from ledger.vault.person import commitment_of, lookups_of
from ledger.vault.rows import NUMBER_MAX, Entry, Index, PersonRow
from ledger.vault.vault import Vault

PAGE_ROWS = 8_192
SPAN_PEOPLE = 1 << 16
"""So many numbers are looked at in one go by one process."""
_WHAT: dict[Index, str] = {"identity": "national ids", "account": "accounts"}

Known = tuple[str | None, str | None]
"""What a person was registered with: the commitment, and the reason, if one is recorded, why their account serves others."""


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

    def registered(self, first: int, last: int, limit: int) -> dict[int, Known]:
        """Number → what they were registered with, of the numbers from one to another, both included; the first so many."""

    def erased(self, numbers: Collection[int]) -> set[int]:
        """Those of these people who are erased."""


class _Opened(NamedTuple):
    """The rows of a page that open, a list each of their values."""

    numbers: list[int]
    commitments: list[str]
    national_ids: list[str]
    accounts: list[str]

    def add(self, numbers: list[int], plains: list[bytes], national_ids: list[str], accounts: list[str]) -> None:
        """Add people, by their salted bytes and what they are found by."""
        self.numbers.extend(numbers)
        self.commitments.extend(map(commitment_of, plains))
        self.national_ids.extend(national_ids)
        self.accounts.extend(accounts)


@dataclass
class Part:
    """What was found of the people of a range of numbers."""

    people: int = 0
    """How many rows were examined."""
    findings: list[Finding] = field(default_factory=list)
    """In order of the numbers, page by page."""
    entries: dict[Index, int] = field(default_factory=lambda: {"identity": 0, "account": 0})
    """How many entries of each index lead to them."""


class Examination:
    """One look through a vault: people by ranges of numbers, in any process, then what belongs to nobody."""

    def __init__(self, vault: Vault, events: Events) -> None:
        self._vault = vault
        self._events = events

    def last(self) -> int:
        """The highest number that is in the vault or registered, of those that there can be."""
        # The events first: whoever is registered by now was in the vault before.
        return min(max(self._events.last(), self._vault.rows.last()), NUMBER_MAX)

    def people(self, first: int, last: int) -> Part:
        """The people with the numbers from one to another, both included."""
        part, after = Part(), first - 1
        while after < last:
            page, known, until = self._read(after + 1, last)
            part.people += len(page)
            part.findings += self._page(page, known, part)
            after = until
        return part

    def spans(self, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of numbers for `people`, as (one before the first, last), without gaps between them.

        A number that is far beyond the others has a span of its own, so that what lies between costs nothing.
        """
        end = 0
        while end < last:
            following = self._vault.rows.following(end + 1)
            before, end = end, last if following is None else min(max(following, end + 1) + SPAN_PEOPLE - 1, last)
            yield before, end

    def _read(self, first: int, last: int) -> tuple[list[PersonRow], dict[int, Known], int]:
        """A page of rows, what is registered under their numbers, and the number that both reach to."""
        page = self._vault.rows.between(first, last, PAGE_ROWS)
        until = last
        if len(page) == PAGE_ROWS:
            until = page[-1].number
            if page[0].number < until:  # the last one's rows may go on
                until -= 1
        known = self._events.registered(first, until, PAGE_ROWS)
        if len(known) == PAGE_ROWS:
            until = min(until, max(known))
        return [row for row in page if row.number <= until], known, until

    def rest(self, parts: Sequence[Part], last: int) -> Iterator[Finding]:
        """What belongs to nobody, once all people up to the last were looked at."""
        rows = self._vault.rows
        yield from self._counter(last)
        for number in rows.out_of_range():
            what = f"a row has the number {number}" if number else "a row has no number"
            yield Finding(None, f"{what}, and a recipient's has one to nine digits")
        for index in _WHAT:
            if rows.entry_count(index) != sum(part.entries[index] for part in parts):
                yield from self._strays(index)
        yield from self._meeting()
        for mark in rows.marks():
            yield Finding(mark.number or None, "a mark lies in the vault that no event commits to")
        for refused in rows.refused():
            yield Finding(None, f"what is kept of line {refused.line} of file {refused.file} is in no event")

    def findings(self) -> list[Finding]:
        """All that is not as it should be, looked at in this process."""
        last = self.last()
        whole = self.people(1, last)
        return [*whole.findings, *self.rest([whole], last)]

    def _page(self, page: Sequence[PersonRow], known: dict[int, Known], part: Part) -> Iterator[Finding]:
        opened = _Opened([], [], [], [])
        yield from self._open(page, opened)
        yield from self._missing(page, known)
        yield from self._commitments(opened, known)
        yield from self._indexed(opened, part)

    def _open(self, page: Sequence[PersonRow], opened: _Opened) -> Iterator[Finding]:
        """Open the rows into lists; what does not open, or should not be there, is found."""
        if self._is_opened_whole(page, opened):
            return
        keyring = self._vault.keyring
        for number, version, agreement, sealed in page:
            if version != 1 or agreement != "":  # also no empty bytes
                yield Finding(number, f"version {version} lies in the vault, and no event speaks of it")
            elif (plain := keyring.opened(sealed, person_place(number, 1, ""))) is None:
                yield Finding(number, "the row does not open in its place: it was changed, or is another's")
            elif (found := lookups_of([plain])) is None:
                yield Finding(number, "the row is of no form that is known")
            else:
                opened.add([number], [plain], *found)

    def _is_opened_whole(self, page: Sequence[PersonRow], opened: _Opened) -> bool:
        """Open all rows of a page if each is as it should be, which is a third of the work of one after the other."""
        decrypt = self._vault.keyring.seal.decrypt
        if any(version != 1 or agreement != "" for _, version, agreement, _ in page):  # also no empty bytes
            return False
        try:
            plains = [
                decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], person_place(number, 1, ""))
                for number, _, _, sealed in page
            ]
        except (InvalidTag, ValueError, TypeError):
            return False
        if (found := lookups_of(plains)) is None:
            return False
        opened.add([row[0] for row in page], plains, *found)
        return True

    def _missing(self, page: Sequence[PersonRow], known: dict[int, Known]) -> Iterator[Finding]:
        there = {row.number for row in page}
        first = {row.number for row in page if (row.version, row.agreement) == (1, "")}
        for number in sorted(there - first):
            yield Finding(number, "the row that they were registered with is not in the vault")
        if missing := known.keys() - there:
            for number in sorted(missing - self._events.erased(missing)):
                yield Finding(number, "is registered, and not in the vault; put a copy of the vault back")

    def _commitments(self, opened: _Opened, known: dict[int, Known]) -> Iterator[Finding]:
        if [known.get(number, (None,))[0] for number in opened.numbers] == opened.commitments:
            return
        for number, commitment in zip(opened.numbers, opened.commitments, strict=True):
            if (said := known.get(number)) is None:
                yield Finding(
                    number,
                    "is in the vault and not registered: an import was interrupted; import the same file again",
                    is_notice=True,
                )
            elif said[0] != commitment:
                yield Finding(number, "the vault holds other data than was registered: the commitment differs")

    def _indexed(self, opened: _Opened, part: Part) -> Iterator[Finding]:
        rows = self._vault.rows
        identities, accounts = self._entries(opened)
        part.entries["identity"] += len(identities)
        part.entries["account"] += len(accounts)
        for mac, number in sorted(rows.missing("identity", identities), key=lambda entry: entry[1]):
            to = rows.of_ids([mac]).get(mac)
            where = f"R{to:09d}" if to is not None else "nobody"
            yield Finding(number, f"the index of national ids leads from theirs to {where}")
        for _, number in sorted(rows.missing("account", accounts), key=lambda entry: entry[1]):
            yield Finding(number, "the index of accounts does not lead from theirs to them")

    def _entries(self, opened: _Opened) -> tuple[list[Entry], list[Entry]]:
        """The entries of both indexes that lead to these people."""
        keyring = self._vault.keyring
        macs = keyring.accounts(filter(None, opened.accounts))
        accounts = [
            (macs[account], number)
            for account, number in zip(opened.accounts, opened.numbers, strict=True)
            if account in macs
        ]
        return list(zip(keyring.ids(opened.national_ids), opened.numbers, strict=True)), accounts

    def _counter(self, last: int) -> Iterator[Finding]:
        highest = self._vault.rows.highest()
        # The number of who was registered and erased since is not in the vault, but it is in the events.
        if highest != last or highest > NUMBER_MAX:
            yield Finding(None, f"the vault says that it has given the numbers up to {highest}; it has up to {last}")

    def _strays(self, index: Index) -> Iterator[Finding]:
        """Entries that belong to nobody; the whole index is gone through, which is done only where it has too many."""
        rows = self._vault.rows
        entries = rows.entries(index)
        while page := list(islice(entries, PAGE_ROWS)):
            found = list(rows.people(sorted({number for _, number in page if 0 < number <= NUMBER_MAX})))
            opened = _Opened([], [], [], [])
            unopened = {finding.number for finding in self._open(found, opened)}  # named before
            theirs = set(self._entries(opened)[0 if index == "identity" else 1])
            for mac, number in page:
                if (mac, number) not in theirs and number not in unopened:
                    whom = "them and is not theirs" if number else "nobody"
                    yield Finding(number or None, f"the index of {_WHAT[index]} has an entry that leads to {whom}")

    def _meeting(self) -> Iterator[Finding]:
        """People whose accounts meet without a recorded reason; told of each but the first of them."""
        for numbers in self._vault.rows.meeting():
            known = {number: self._events.registered(number, number, 1).get(number) for number in numbers}
            without = sorted(number for number, said in known.items() if said and not said[1])
            for number in without[1:]:
                others = ", ".join(f"R{each:09d}" for each in without if each != number)
                yield Finding(number, f"has one account with {others}, and no reason is recorded", is_notice=True)
