"""A ledger's folder: what lies in it, and which store and vault it names."""

import hashlib
import json
import os
import re
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import InfrastructureFactory
from pydantic import BaseModel, ConfigDict, ValidationError

from ledger.domain.errors import IntegrityBrokenError, Said
from ledger.store.durable import sync
from ledger.store.errors import (
    LedgerMissingError,
    LedgerNewerError,
    RightsMissingError,
    SettingsOfAnotherError,
    SettingsUnfitError,
)
from ledger.store.owners import open_to_others
from ledger.store.recorder import LedgerRecorder
from ledger.store.sqlite import LedgerFactory

if TYPE_CHECKING:
    from ledger.vault.rows import PersonRows
    from ledger.vault.vault import Vault

FORMAT = 1
"""The format of a ledger's folder; a program refuses a folder of a higher format."""
SETTINGS = "ledger.json"
EVENTS = "events.db"
VAULT = "vault.db"
VAULT_KEY = "vault.key"
BATCHES = "batches"
LOG = "log"
LOG_KEY = "key"
VAULT_KEY_VARIABLE = "SALUR_VAULT_KEY"
"""Names the file of the vault's key where that does not lie in the folder."""
FINGERPRINT_SHOWN = 16
"""Digits of a fingerprint that a person is shown."""


def fingerprint_of(store: LedgerRecorder) -> str:
    """SHA-256 of the log's first line, in hex: no two ledgers were opened in the same words at the same instant."""
    return hashlib.sha256(store.leaf(0)).hexdigest()


@dataclass(frozen=True)
class LogPlace:
    """Where a ledger's transparency log is, and the key that signs it."""

    folder: Path
    key: Path | None = None
    """None where the key lies with the log, in the log's folder."""


@dataclass(frozen=True)
class Place:
    """Where a ledger's events and personal data are: in the folder itself, or in a PostgreSQL database."""

    folder: Path
    database: str | None = None
    """The database's address, without a password; None for SQLite in the folder."""
    log: "LogPlace | None" = field(default=None, compare=False)
    vault_copy: Path | None = field(default=None, compare=False)
    """A copy of the vault's file to read instead of the folder's own."""
    fingerprint: str | None = field(default=None, compare=False)
    """Of the ledger whose settings say so; None in settings of versions before it was written there."""
    group: str | None = field(default=None, compare=False)
    """Whose members may read and write the folder as its owner may; None for nobody but the owner."""

    @property
    def has_own_log(self) -> bool:
        """Whether the transparency log is in the ledger's folder, and so grows with whatever is recorded here."""
        return self.log is not None and self.log.folder.resolve().is_relative_to(self.folder.resolve())

    def require_own(self, store: LedgerRecorder) -> None:
        """Raise `SettingsOfAnotherError` unless the store holds the ledger whose settings named it."""
        if self.fingerprint is not None and (found := fingerprint_of(store)) != self.fingerprint:
            raise SettingsOfAnotherError(
                path=str(self.folder / SETTINGS),
                named=self.fingerprint[:FINGERPRINT_SHOWN],
                found=found[:FINGERPRINT_SHOWN],
            )

    @property
    def is_only_read(self) -> bool:
        """Whether nothing can be written in the folder, as on an auditor's medium."""
        return not os.access(self.folder, os.W_OK)

    def factory(self, *, read_only: bool = False) -> InfrastructureFactory[Any]:
        """Builds the event store; one that is only read leaves no trace in the folder."""
        if self.database is None:
            return LedgerFactory(self.folder / EVENTS, read_only=read_only)
        from ledger.store.postgres import (
            PostgresLedgerFactory,
        )  # imported here, so that only a ledger on a server waits for the driver

        return PostgresLedgerFactory(self.database)

    def person_rows(self, *, reading: bool = False) -> "PersonRows":
        """The vault's rows, in the folder's file or in the database; those that are only read leave no trace."""
        if self.database is None:
            from ledger.vault.sqlite import SQLitePersonRows

            return SQLitePersonRows(self.vault_file, read_only=reading)
        from ledger.vault.postgres import PostgresPersonRows

        return PostgresPersonRows(self.database)

    @property
    def vault_file(self) -> Path:
        """The SQLite file of the vault; a vault in a database has none."""
        return self.vault_copy or self.folder / VAULT

    @property
    def vault_key(self) -> Path:
        """The file with the vault's key: the one that SALUR_VAULT_KEY names, or that in the folder."""
        named = os.environ.get(VAULT_KEY_VARIABLE)
        return Path(named) if named else self.folder / VAULT_KEY

    def vault(self, *, reading: bool = False) -> "Vault":
        """The vault, opened; raises `VaultKeyError` where its key is not at hand."""
        from ledger.vault.vault import Vault

        return Vault(self.person_rows(reading=reading), self.vault_key)

    def open_to_others(self) -> list[str]:
        """A sentence for what of the folder, or which key, others may read, with the command that closes it."""
        keys = [self.vault_key]
        if self.log is not None:
            keys.append(self.log.key or self.log.folder / LOG_KEY)
        return open_to_others(self.folder, keys, self.group)

    def absent_people(self) -> list[tuple[int, int]]:
        """The numbers that nobody in the vault has, as `PersonRows.absent`; nothing where the vault is not at hand."""
        if self.database is None and not (self.folder / VAULT).exists():
            return []
        from ledger.vault.errors import VaultOlderError

        with closing(self.person_rows(reading=self.is_only_read)) as rows:
            try:
                return rows.absent() if rows.keyring() else []
            # Half brought over, a vault has not everybody in one table; what is broken in it the law of the vault names.
            except (RightsMissingError, VaultOlderError, IntegrityBrokenError):
                return []

    def wider_rights(self) -> list[str]:
        """A sentence for each role with more rights on the database than the ledger needs."""
        if self.database is None:
            return []
        from ledger.application.rights import wider_rights
        from ledger.store.server import Database

        with closing(Database(self.database)) as database:
            return wider_rights(database)


class _Format(BaseModel):
    model_config = ConfigDict(strict=True)
    format: int


class _LogSettings(BaseModel):
    model_config = ConfigDict(strict=True)
    folder: str
    key: str | None = None


class _Settings(_Format):
    """What the file of settings says, of the format that this program writes."""

    ledger: str | None = None
    group: str | None = None
    database: str | None = None
    log: _LogSettings | None = None


def require_ledger(folder: Path) -> Place:
    """Where the ledger of a folder is kept.

    Raises `LedgerMissingError` where the folder holds no ledger, `LedgerNewerError` where a newer version wrote it, and
    `SettingsUnfitError` where its settings are damaged.
    """
    try:
        content = (folder / SETTINGS).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise LedgerMissingError(folder=str(folder)) from None
    try:
        found = _Format.model_validate_json(content).format
        if found > FORMAT:
            raise LedgerNewerError(folder=str(folder), found=found, known=FORMAT)
        settings = _Settings.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "the file"
        raise SettingsUnfitError(
            path=str(folder / SETTINGS), problem=Said("{place}: {msg}", place=place, msg=problem["msg"])
        ) from None
    # Paths in the ledger's folder are kept relative to it: the folder may move.
    log: LogPlace | None = None
    if settings.log:
        log = LogPlace(folder / settings.log.folder, folder / settings.log.key if settings.log.key else None)
    return Place(folder, settings.database, log, fingerprint=settings.ledger, group=settings.group)


def write_settings(place: Place) -> None:
    """Write the file that makes a folder a ledger, all at once."""
    folder = place.folder
    said: dict[str, object] = {"salur": "ledger", "format": FORMAT}
    if place.fingerprint:
        said["ledger"] = place.fingerprint
    if place.group:
        said["group"] = place.group
    if place.database:
        said["database"] = place.database
    if place.log:
        key = {"key": _kept(place.log.key, folder)} if place.log.key else {}
        said["log"] = {"folder": _kept(place.log.folder, folder), **key}
    settings = folder / f"{SETTINGS}.{os.getpid()}.new"
    with suppress(FileNotFoundError):  # another process, which made the same ledger and came first, removed the file
        settings.write_text(json.dumps(said) + "\n")
        sync(settings)
        settings.replace(folder / SETTINGS)
    for left_over in folder.glob(f"{SETTINGS}.*.new"):
        left_over.unlink(missing_ok=True)
    sync(folder)


def _kept(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def is_free(folder: Path) -> bool:
    """Whether a ledger may be made in a folder: nothing is in it but what an interrupted making left."""
    if not folder.exists():
        return True
    return folder.is_dir() and all(_is_of_a_ledger(each.name) for each in folder.iterdir())


def _is_of_a_ledger(name: str) -> bool:
    if name.startswith(SETTINGS):
        return True
    return re.sub("(-wal|-shm|-journal|[.]new)$", "", name) in {EVENTS, VAULT, VAULT_KEY, BATCHES, LOG}
