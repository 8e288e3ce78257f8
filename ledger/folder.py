"""A ledger's folder: what lies in it, and which store and vault it names."""

import json
import os
import re
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import InfrastructureFactory

from ledger.errors import LedgerMissingError, LedgerNewerError
from ledger.store import LedgerFactory

if TYPE_CHECKING:
    from ledger.person_rows import PersonRows
    from ledger.vault import Vault

FORMAT = 1
"""Of the ledger's folder; a program refuses folders of a higher one."""
SETTINGS = "ledger.json"
EVENTS = "events.db"
VAULT = "vault.db"
VAULT_KEY = "vault.key"
BATCHES = "batches"


@dataclass(frozen=True)
class Place:
    """Where a ledger's events and personal data are: in the folder itself, or in a PostgreSQL database."""

    folder: Path
    database: str | None = None
    """Its address, without a password."""

    def factory(self) -> InfrastructureFactory[Any]:
        """Builds the event store."""
        if self.database is None:
            return LedgerFactory(self.folder / EVENTS)
        from ledger.postgres_store import PostgresLedgerFactory  # only who has a server waits for its driver to load

        return PostgresLedgerFactory(self.database)

    def person_rows(self) -> "Path | PersonRows":
        """What the vault is opened on."""
        if self.database is None:
            return self.folder / VAULT
        from ledger.postgres_vault import PostgresPersonRows

        return PostgresPersonRows(self.database)

    def vault(self) -> "Vault":
        """The vault, opened; raises `VaultKeyError` where its key is not in the folder."""
        from ledger.vault import Vault

        return Vault(self.person_rows(), self.folder / VAULT_KEY)

    def wider_rights(self) -> list[str]:
        """Where somebody may do more to what is stored than the ledger needs, in a sentence each."""
        if self.database is None:
            return []
        from ledger.postgres import Database
        from ledger.postgres_rights import wider_rights

        with closing(Database(self.database)) as database:
            return wider_rights(database)


def require_ledger(folder: Path) -> Place:
    """Refuse a folder that is not a ledger, or one of a newer version; tells where the ledger is kept."""
    try:
        settings = json.loads((folder / SETTINGS).read_text())
        found = int(settings["format"])
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerMissingError(folder=str(folder)) from None
    if found > FORMAT:
        raise LedgerNewerError(folder=str(folder), found=found, known=FORMAT)
    return Place(folder, settings.get("database"))


def write_settings(place: Place) -> None:
    """Write the file that makes a folder a ledger, all at once."""
    folder = place.folder
    said = {"salur": "ledger", "format": FORMAT} | ({"database": place.database} if place.database else {})
    settings = folder / f"{SETTINGS}.{os.getpid()}.new"
    with suppress(FileNotFoundError):  # cleared away by another making of the same ledger, which came first
        settings.write_text(json.dumps(said) + "\n")
        sync(settings)
        settings.replace(folder / SETTINGS)
    for left_over in folder.glob(f"{SETTINGS}.*.new"):
        left_over.unlink(missing_ok=True)
    sync(folder)


def is_free(folder: Path) -> bool:
    """Whether a ledger may be made in a folder: nothing is in it but what an interrupted making left."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(_is_of_a_ledger(each.name) for each in folder.iterdir())


def _is_of_a_ledger(name: str) -> bool:
    if name.startswith(SETTINGS):
        return True
    return re.sub("(-wal|-shm|-journal|[.]new)$", "", name) in {EVENTS, VAULT, VAULT_KEY, BATCHES}


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
