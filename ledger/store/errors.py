"""Refusals of a ledger's folder and its database."""

from ledger.domain.errors import LedgerError, Said


class LedgerMissingError(LedgerError):
    """There is no ledger where one was expected."""

    code = "ledger_missing"
    sentence = (
        "no ledger in {folder}; make one with `salur --store {folder} init`, or name yours with --store or SALUR_STORE"
    )
    folder: str


class LedgerExistsError(LedgerError):
    """A ledger is already there."""

    code = "ledger_exists"
    sentence = "{folder} already holds a ledger; use it as it is, or choose another folder"
    folder: str


class FolderNotEmptyError(LedgerError):
    """A new ledger, or an export, wants a folder of its own."""

    code = "folder_not_empty"
    sentence = "{folder} holds other files; choose an empty or a new folder"
    folder: str


class OwnersGroupError(LedgerError):
    """The files of a ledger cannot be given to that group."""

    code = "owners_group"
    sentence = "group {group}: {problem}; name a group of this system that you are in, or leave --group out"
    group: str
    problem: Said


class SettingsUnfitError(LedgerError):
    """The file that makes a folder a ledger is damaged."""

    code = "settings_unfit"
    sentence = (
        "{path} does not say what a ledger's settings say ({problem}); restore the file from a copy of the ledger"
    )
    path: str
    problem: Said


class SettingsOfAnotherError(LedgerError):
    """The settings in the folder are those of another ledger than the one in the store."""

    code = "settings_of_another"
    sentence = (
        "{path} is that of the ledger {named}, and the store holds the ledger {found}; put this ledger's own settings back"
        " from a copy, and find out with `salur audit verify` whether the first event was changed"
    )
    path: str
    named: str
    found: str


class LedgerNewerError(LedgerError):
    """The ledger was written by a later version of this program."""

    code = "ledger_newer"
    sentence = "{folder} has format {found}, this program knows up to {known}; install a newer salur"
    folder: str
    found: int
    known: int


class StoreLockedError(LedgerError):
    """Another program kept the database locked for too long."""

    code = "store_locked"
    sentence = "another program keeps the ledger locked; nothing of this step was recorded, run the same command again when it ends"


class StoreFailedError(LedgerError):
    """The database could not do what was asked, for a reason of its own."""

    code = "store_failed"
    sentence = "this could not be written or read ({reason}); nothing of this step was recorded, mend that and run the command again"
    reason: str


class DiskFullError(LedgerError):
    """The disk has no room for the next step."""

    code = "disk_full"
    sentence = "the disk is full; what was recorded is safe, free some room and run the same command again"


class StoreTimeoutError(LedgerError):
    """The database took longer over one step than it is given."""

    code = "store_timeout"
    sentence = "the database took longer than its time-out ({reason}); nothing of this step was recorded, run the same command again or give it more with SALUR_DATABASE_TIMEOUT=SECONDS"
    reason: str


class StoreUnreachableError(LedgerError):
    """The database's server cannot be reached."""

    code = "store_unreachable"
    sentence = "the database cannot be reached ({reason}); nothing of this step was recorded, run the same command again when it can"
    reason: str


class RightsMissingError(LedgerError):
    """The database does not let this user do what the command needs."""

    code = "rights_missing"
    sentence = "the database refuses its user ({reason}); let its owner give the rights that `salur init` printed"
    reason: str


class DatabaseAddressError(LedgerError):
    """The address is not one of a PostgreSQL database."""

    code = "database_address"
    sentence = "not an address of a PostgreSQL database ({problem}); write postgresql://USER@HOST/DATABASE"
    problem: Said


class PasswordInArgumentError(LedgerError):
    """A password stands in the address of a database, where every user of the machine can read it."""

    code = "password_in_argument"
    sentence = "a password does not belong into an address; change it, for others may have read it, and put it into the file that PGPASSFILE names (~/.pgpass) or into a service file"


class DatabaseTakenError(LedgerError):
    """The database already holds a ledger."""

    code = "database_taken"
    sentence = "the database already holds a ledger, or the vault of another one; use it with `salur --store {folder} join`, or choose another database"
    folder: str


class DatabaseEmptyError(LedgerError):
    """There is no ledger in the database."""

    code = "database_empty"
    sentence = (
        "no ledger in the database; make one with `salur --store {folder} init --database`, or name the right database"
    )
    folder: str


class CopyDiffersError(LedgerError):
    """What the copy already holds is not what is being copied."""

    code = "copy_differs"
    sentence = "{folder} holds other events than those to be copied, first at event {log_index}; copy into an empty folder and database"
    folder: str
    log_index: int


class EventTooLargeError(LedgerError):
    """What is to be recorded is longer than an event may be."""

    code = "event_too_large"
    sentence = (
        "this would be an event of {size_bytes:,} bytes, at most {size_bytes_max:,} are possible; give less in one step"
    )
    size_bytes: int
    size_bytes_max: int
