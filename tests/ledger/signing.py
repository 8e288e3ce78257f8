"""Officers who sign: a ledger in which each officer has a key of their own."""

from pathlib import Path
from typing import Any

from ledger.application import officers, programs
from ledger.application.attempt import Command, Sign
from ledger.application.creation import create
from ledger.application.ledger import Ledger
from ledger.domain.event import Role
from ledger.domain.opening import LedgerOpened
from ledger.domain.program import Kind, ProgramOpened
from ledger.transparency.keys import Keys
from tests.acts import by, now

OPENED = LedgerOpened(name="Kemnaker 2020", currency="IDR", decimals=0)
PASSPHRASE = b"kopi tubruk"
PROGRAM = ProgramOpened(program="bsu-2020", name="BSU", kind=Kind.CASH, schedule=(1_200_000,), fiscal_year=2020)


def keys_in(folder: Path, passphrase: bytes = PASSPHRASE) -> Keys:
    return Keys(folder, passphrase=lambda _: passphrase)


class Office:
    """A ledger with siti (maker) and budi (checker), and the keys of both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "ledger"
        self.keys = keys_in(folder / "keys")
        self.ledger: Ledger = create(self.folder, by(None), opened=OPENED, now=now)
        self.siti, self.budi = self.by("siti"), self.by("budi")
        self.enroll("siti", Role.MAKER)
        self.enroll("budi", Role.CHECKER)
        programs.open_program(self.ledger, self.siti, terms=PROGRAM)
        programs.set_budget(self.ledger, self.siti, program=PROGRAM.program, budget=100_000_000)

    @classmethod
    def on(cls, ledger: Ledger, folder: Path) -> "Office":
        """An office on a ledger whose officers siti and budi have no keys yet: each gives the other one."""
        office = cls.__new__(cls)
        office.folder, office.ledger, office.keys = ledger.folder, ledger, keys_in(folder / "keys")
        for officer_id, giver in (("siti", "budi"), ("budi", "siti")):
            key = office.new_key(officer_id)
            officers.replace_key(ledger, office.by(giver), officer_id=officer_id, public_key=key, reason="the first")
        office.siti, office.budi = office.by("siti"), office.by("budi")
        return office

    def by(self, officer_id: str, **said: Any) -> Command:
        return by(officer_id, signer=self.keys.signer, **said)

    def new_key(self, officer_id: str) -> str:
        """Make an officer's key pair and lock it away; returns the public key."""
        public_key = self.keys.make(self.ledger.fingerprint, officer_id)
        self.keys.keep(self.ledger.fingerprint, officer_id, PASSPHRASE)
        return public_key

    def enroll(self, officer_id: str, *roles: Role) -> None:
        officers.enroll(self.ledger, self.siti, officer_id=officer_id, roles=roles, public_key=self.new_key(officer_id))

    def public_key(self, officer_id: str) -> str:
        found = self.keys.public_key(self.ledger.fingerprint, officer_id)
        assert found
        return found

    def sign_as(self, officer_id: str) -> Sign:
        """How an officer signs now; it stays so whatever becomes of their key."""
        return self.keys.signer(self.ledger.fingerprint, officer_id, self.public_key(officer_id))

    def forget(self) -> None:
        """Let the next command read the keys' files anew."""
        self.keys = keys_in(self.keys._folder)
        self.siti, self.budi = self.by("siti"), self.by("budi")
