"""Refusals of the log, its witnesses and officers' keys."""

from ledger.domain.errors import LedgerError, Said


class LogMissingError(LedgerError):
    """The ledger has no transparency log where one was expected."""

    code = "log_missing"
    sentence = (
        "no transparency log in {folder}; make one with `salur log create`, or name the folder of yours with --folder"
    )
    folder: str


class LogExistsError(LedgerError):
    """A transparency log is already there, under another name."""

    code = "log_exists"
    sentence = "{folder} already holds the log {origin}; use it as it is, or choose another folder"
    folder: str
    origin: str


class LogLeftOutError(LedgerError):
    """The ledger's events name its transparency log, and the settings of its folder another one or none."""

    code = "log_left_out"
    sentence = (
        "the ledger's log is {origin}, and {problem}; put the settings back, or go on with that log by"
        " `salur log create --folder` and the folder it is in"
    )
    origin: str
    problem: Said


class LogKeyError(LedgerError):
    """The key that signs the log is not there, or is not the one it was made with."""

    code = "log_key"
    sentence = "{path} is not the key of this log ({problem}); put the key there that the log was made with"
    path: str
    problem: Said


class NotInLogError(LedgerError):
    """The log has not come as far as what is asked for."""

    code = "not_in_log"
    sentence = "the log has {size} events, {asked} is not among them; seal it with `salur log seal`, or ask for less"
    size: int
    asked: int


class CheckpointUnpublishedError(LedgerError):
    """The log requires witnesses, and no checkpoint has enough of them yet."""

    code = "checkpoint_unpublished"
    sentence = "no checkpoint of {origin} has the witnesses it requires; get one cosigned with `salur log publish`"
    origin: str


class QuorumMissedError(LedgerError):
    """Too few of the witnesses that the log requires have cosigned its checkpoint."""

    code = "quorum_missed"
    sentence = (
        "{cosigned} of the {quorum} witnesses required cosigned the checkpoint of {size} events ({problems}); the"
        " checkpoint published before stays, run `salur log publish` when they do"
    )
    cosigned: int
    quorum: int
    size: int
    problems: str


class WitnessMissingError(LedgerError):
    """There is no witness where one was expected."""

    code = "witness_missing"
    sentence = "no witness in {folder}; make one with `salur log witness create`, or name the folder of yours"
    folder: str


class WitnessExistsError(LedgerError):
    """A witness is already there, under another name."""

    code = "witness_exists"
    sentence = "{folder} already holds the witness {name}; use it as it is, or choose another folder"
    folder: str
    name: str


class LogKnownError(LedgerError):
    """The witness knows a log of that name by another key."""

    code = "log_known"
    sentence = (
        "the witness knows {origin} by another key; ask who runs that log, and give a log with a new key a new name"
    )
    origin: str


class KeyMissingError(LedgerError):
    """The officer signs what they record, and their key is not at hand."""

    code = "key_missing"
    sentence = "officer {officer_id} signs with a key that is not in {path}; name it with --key or --keys, or let another officer give them a new one with `salur officer replace-key`"
    officer_id: str
    path: str


class KeyLockedError(LedgerError):
    """The key's passphrase was not given, or is another one."""

    code = "key_locked"
    sentence = "the key in {path} stays locked ({problem}); give its passphrase, or name a file with it in SALUR_PASSPHRASE_FILE"
    path: str
    problem: Said


class KeyUnreadableError(LedgerError):
    """The file is not that of an officer's key."""

    code = "key_unreadable"
    sentence = "{path} holds no Ed25519 private key in PEM; name the right file with --key, or restore it from a copy"
    path: str
