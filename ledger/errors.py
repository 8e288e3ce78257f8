"""The closed list of refusals.

A refusal is a `LedgerError`: it has a permanent `code`, typed fields, and a sentence that ends with the remedy.
After any refusal the ledger holds exactly what it held before. A broken integrity is not a refusal and has a class
of its own. Codes are never renamed or given a second meaning: scripts and rejects files depend on them.

No field of an error ever holds a person's data: what an officer typed in its place is shown by its shape only.
"""

import re
from inspect import get_annotations
from typing import ClassVar, dataclass_transform


def shape_of(text: str) -> str:
    """What a value looks like, without what it says: digits become 9, letters A, and runs are counted.

    >>> shape_of("Budi 3273015501900001")
    'A{4} 9{16}'
    """
    masked = re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text[:200]))
    return re.sub(r"([9A])\1+", lambda run: f"{run[1]}{{{len(run[0])}}}", masked) or "(empty)"


def _without_personal_number(name: str, value: object) -> object:
    """A field's value with each number of ten or more digits, which may be a person's, shown by its shape only."""
    if not isinstance(value, str) or name in ("path", "folder", "origin"):
        return value
    return re.sub(r"\d{10,}", lambda run: shape_of(run[0]), value)


@dataclass_transform(kw_only_default=True)
class LedgerError(Exception):
    """What was asked is refused, and nothing has changed."""

    code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, **fields: object) -> None:
        names = get_annotations(type(self))
        if fields.keys() - names or names.keys() - fields.keys() - vars(type(self)).keys():
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(names)}")
        vars(self).update({name: _without_personal_number(name, value) for name, value in fields.items()})
        super().__init__(self.sentence.format(**{name: getattr(self, name) for name in names}))


class IntegrityBrokenError(Exception):
    """What is stored contradicts itself; nothing may be built on it until an auditor has looked."""


class ProofFailedError(IntegrityBrokenError):
    """A proof, a signature or the note that bears it does not show what it was given to show."""


class AnswerLostError(Exception):
    """The connection broke when a step was being recorded, and the database cannot be asked whether it was.

    This is no refusal: the step may be recorded. The same command run again finds what is, and records nothing twice.
    """


# The ledger's folder and its database


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
    problem: str


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


class SegmentMismatchError(LedgerError):
    """A segment of the archive does not hold what the ledger's store holds."""

    code = "segment_mismatch"
    sentence = (
        "segment {segment} is not of this ledger: {problem}; find out how it came there, then make the archive anew"
        " from the store with `salur seal --rebuild`"
    )
    segment: str
    problem: str


class EventTooLargeError(LedgerError):
    """What is to be recorded is longer than an event may be."""

    code = "event_too_large"
    sentence = (
        "this would be an event of {size_bytes:,} bytes, at most {size_bytes_max:,} are possible; give less in one step"
    )
    size_bytes: int
    size_bytes_max: int


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


class LogKeyError(LedgerError):
    """The key that signs the log is not there, or is not the one it was made with."""

    code = "log_key"
    sentence = "{path} is not the key of this log ({problem}); put the key there that the log was made with"
    path: str
    problem: str


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


class SignerElsewhereError(LedgerError):
    """The key that signs the log, and with it published figures, is not on this machine."""

    code = "signer_elsewhere"
    sentence = "figures are signed with the log's key, which is not at {path}; publish them where the log is sealed"
    path: str


class FiguresTooLargeError(LedgerError):
    """The report has more rows than one signed note can hold."""

    code = "figures_too_large"
    sentence = "the rows of {report} have more than {size_bytes_max} bytes; publish a shorter report, such as programs"
    report: str
    size_bytes_max: int


class ContendedError(LedgerError):
    """Others changed the same thing again and again while this command tried."""

    code = "contended"
    sentence = "others are changing {stream} at the same time; nothing was recorded, run the command again"
    stream: str


class VaultKeyError(LedgerError):
    """The vault's key is missing or is not the one the vault was written with."""

    code = "vault_key"
    sentence = "the vault's key {path} is missing or is not this vault's; put the right key file back"
    path: str


# Files that officers bring


class FileMissingError(LedgerError):
    """The file named is not there."""

    code = "file_missing"
    sentence = "there is no file {path}; check the name and the folder"
    path: str


class FileIsDirectoryError(LedgerError):
    """A folder was named where a file was expected."""

    code = "file_is_directory"
    sentence = "{path} is a folder; name the file in it"
    path: str


class FileEmptyError(LedgerError):
    """The file holds no rows."""

    code = "file_empty"
    sentence = "{path} holds no rows below a header; check that the export finished"
    path: str


class FileBinaryError(LedgerError):
    """The file is not a table of text."""

    code = "file_binary"
    sentence = "{path} is neither CSV text nor an XLSX workbook; export it as one of these"
    path: str


class FileDamagedError(LedgerError):
    """The file cannot be read to its end."""

    code = "file_damaged"
    sentence = "{path} cannot be read ({reason}); copy or export it again"
    path: str
    reason: str


class SheetSparseError(LedgerError):
    """A cell far out makes a sheet too large to be read."""

    code = "sheet_sparse"
    sentence = (
        "{path}: the sheet reaches to {last_cell} with {filled} filled cells; delete the empty rows and columns between "
        "them, or save it as CSV"
    )
    path: str
    last_cell: str
    filled: int


class FileChangedError(LedgerError):
    """The file changed while it was being read."""

    code = "file_changed"
    sentence = "{path} changed while it was being read; wait until nobody writes it, then run the command again"
    path: str


class ColumnMissingError(LedgerError):
    """A column that the command needs is not in the header."""

    code = "column_missing"
    sentence = "{path} has no column for {field}; it has {columns}; say which one with --map {field}=COLUMN"
    path: str
    field: str
    columns: str


class ColumnMapError(LedgerError):
    """The column map names a field or a column that does not exist."""

    code = "column_map"
    sentence = "--map {given}: {problem}"
    given: str
    problem: str


# Single values


class ValueInvalidError(LedgerError):
    """A value does not have the form its field needs."""

    code = "value_invalid"
    sentence = "{field}: {problem}"
    field: str
    problem: str


class RowIncompleteError(LedgerError):
    """The row does not have one cell for each column of the header."""

    code = "row_incomplete"
    sentence = "the row has {found} cells where the header has {expected}; complete it, or put quotes around text that holds the delimiter"
    found: int
    expected: int


class ValueMissingError(LedgerError):
    """A cell that must be filled is empty."""

    code = "value_missing"
    sentence = "{field} is empty; fill it in"
    field: str


class IdentifierAsNumberError(LedgerError):
    """A long identifier was kept as a number, which loses its last digits."""

    code = "identifier_as_number"
    sentence = "Excel keeps 15 digits of a number; format the column as text and fill it again"


class AmountInvalidError(LedgerError):
    """The text is not an exact amount of the ledger's currency."""

    code = "amount_invalid"
    sentence = "{shape} is not an amount; write digits, at most with thousands separators and the currency's decimals"
    shape: str


class AmountAmbiguousError(LedgerError):
    """The text could be read as two different amounts."""

    code = "amount_ambiguous"
    sentence = "{shape} can be read as two amounts; say which sign separates decimals with --decimal"
    shape: str


class AmountFractionError(LedgerError):
    """The amount has more decimals than the ledger's currency."""

    code = "amount_fraction"
    sentence = "{shape} has a fraction that {currency} with {decimals} decimals cannot hold; give an exact amount"
    shape: str
    currency: str
    decimals: int


class AmountNotPositiveError(LedgerError):
    """An amount or a quantity must be more than zero."""

    code = "amount_not_positive"
    sentence = "amounts and quantities are more than zero; give a positive whole number"


class AmountTooLargeError(LedgerError):
    """The amount is larger than the ledger can hold exactly."""

    code = "amount_too_large"
    sentence = "the amount exceeds {largest}; check for extra digits"
    largest: int


class DateInvalidError(LedgerError):
    """The text is not a date."""

    code = "date_invalid"
    sentence = "{shape} is not a date; write YYYY-MM-DD or state the order with --date-order"
    shape: str


class DateAmbiguousError(LedgerError):
    """The text could be read as two different dates."""

    code = "date_ambiguous"
    sentence = "{shape} can be read as day-month or month-day; state the order with --date-order dmy or mdy"
    shape: str


class EffectiveInFutureError(LedgerError):
    """A business date lies in the future."""

    code = "effective_in_future"
    sentence = "{effective_on} lies after today ({today}); correct the date, or add --allow-future if it is meant"
    effective_on: str
    today: str


class CurrencyUnknownError(LedgerError):
    """The currency is not in ISO 4217."""

    code = "currency_unknown"
    sentence = "{currency} is not an ISO 4217 currency; use a code such as IDR"
    currency: str


class CountryUnknownError(LedgerError):
    """The country is not in ISO 3166."""

    code = "country_unknown"
    sentence = "{country} is not an ISO 3166 country; use two letters such as HK"
    country: str


class ReferenceReusedError(LedgerError):
    """The same reference came with a different request."""

    code = "reference_reused"
    sentence = "reference {reference} was used for another request; give this one a reference of its own"
    reference: str


# Officers


class OfficerUnknownError(LedgerError):
    """No officer of that name is enrolled."""

    code = "officer_unknown"
    sentence = "no officer {officer_id} is enrolled{nearest}; enroll them with `salur officer enroll`"
    officer_id: str
    nearest: str = ""


class OfficerExistsError(LedgerError):
    """An officer of that name was enrolled before, with other roles or since revoked."""

    code = "officer_exists"
    sentence = "officer {officer_id} was enrolled before; choose another id"
    officer_id: str


class OfficerRevokedError(LedgerError):
    """The officer may no longer act."""

    code = "officer_revoked"
    sentence = "officer {officer_id} has been revoked; another officer must do this"
    officer_id: str


class RoleMissingError(LedgerError):
    """The officer does not hold the role that this needs."""

    code = "role_missing"
    sentence = "officer {officer_id} does not hold the role {role}; ask one who does"
    officer_id: str
    role: str


class SameOfficerError(LedgerError):
    """Two different officers must agree."""

    code = "same_officer"
    sentence = "{officer_id} cannot be both sides of {thing}; ask another officer"
    officer_id: str
    thing: str


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
    problem: str


class KeyUnreadableError(LedgerError):
    """The file is not that of an officer's key."""

    code = "key_unreadable"
    sentence = "{path} holds no Ed25519 private key in PEM; name the right file with --key, or restore it from a copy"
    path: str


class KeyForeignError(LedgerError):
    """The key is not the one that the officer is enrolled with."""

    code = "key_foreign"
    sentence = "this is not the key that officer {officer_id} is enrolled with; use theirs, or let another officer put this one in its place with `salur officer replace-key`"
    officer_id: str


class KeyTakenError(LedgerError):
    """A key belongs to one officer for good, also after it was replaced."""

    code = "key_taken"
    sentence = "the key is, or was, that of officer {officer_id}; make a new one for nobody else to have"
    officer_id: str


# Programs


class ProgramUnknownError(LedgerError):
    """No program has that code."""

    code = "program_unknown"
    sentence = "no program {program}{nearest}; see `salur program list`"
    program: str
    nearest: str = ""


class ProgramExistsError(LedgerError):
    """A program of that code was opened before, with other terms."""

    code = "program_exists"
    sentence = "program {program} is already open with other terms; choose another code"
    program: str


class ProgramTooDeepError(LedgerError):
    """The program would lie under more programs than reports follow."""

    code = "program_too_deep"
    sentence = "program {program} would lie more than {levels_max} levels deep; open it under a program above {parent}"
    program: str
    parent: str
    levels_max: int


class ProgramClosedError(LedgerError):
    """The program is closed."""

    code = "program_closed"
    sentence = "program {program} is closed; nothing more can be paid or recorded in it"
    program: str


class ProgramBusyError(LedgerError):
    """Money is still reserved for batches of the program."""

    code = "program_busy"
    sentence = "program {program} still has {reserved} reserved; run or reject its open batches first"
    program: str
    reserved: int


class ScheduleOverCeilingError(LedgerError):
    """The tranches add up to more than a recipient may get."""

    code = "schedule_over_ceiling"
    sentence = (
        "the tranches of {program} add up to {total}, over the ceiling of {ceiling}; lower one or raise the other"
    )
    program: str
    total: int
    ceiling: int


class BudgetExceededError(LedgerError):
    """The program has too little unreserved budget."""

    code = "budget_exceeded"
    sentence = "{program}: {asked} asked, {available} available; raise the budget or ask for less"
    program: str
    asked: int
    available: int


class BudgetBelowCommittedError(LedgerError):
    """The new budget would not cover what is reserved and paid."""

    code = "budget_below_committed"
    sentence = "{program}: {committed} is already reserved or paid; the budget cannot be {budget}"
    program: str
    committed: int
    budget: int


# Recipients


class RecipientUnknownError(LedgerError):
    """No such recipient is registered."""

    code = "recipient_unknown"
    sentence = "this recipient is not registered; register them first, then run the same file again"


class RecipientRegisteredError(LedgerError):
    """The person is already registered."""

    code = "recipient_registered"
    sentence = "this person is already registered as {recipient_id}; use that id"
    recipient_id: str


class RecipientErasedError(LedgerError):
    """The person's data is erased, for good."""

    code = "recipient_erased"
    sentence = "the data of {recipient_id} is erased, which cannot be undone; they may register again and get a new id"
    recipient_id: str


class ErasureNotRequestedError(LedgerError):
    """Nobody asks for the erasure of this person."""

    code = "erasure_not_requested"
    sentence = "no erasure of {recipient_id} waits for a decision; a maker asks first: `salur recipient erase request`"
    recipient_id: str


class AccountSharedError(LedgerError):
    """The bank account already serves another recipient."""

    code = "account_shared"
    sentence = "this bank account already serves another recipient; correct it or give a reason with --shared-account"


class CategoryNotEligibleError(LedgerError):
    """The program is not meant for recipients of this category."""

    code = "category_not_eligible"
    sentence = "{program} is for {categories}, not for {category}; leave the recipient out or choose another program"
    program: str
    category: str
    categories: str


class DuplicateInFileError(LedgerError):
    """The same person stands in the file twice."""

    code = "duplicate_in_file"
    sentence = "the same recipient stands in {first}; only the first is taken"
    first: str


class ReferredElsewhereError(LedgerError):
    """The person was referred to the same scheme before, through another channel."""

    code = "already_referred"
    sentence = "{recipient_id} was already referred to {scheme} through {channel}; leave the row out"
    recipient_id: str
    scheme: str
    channel: str


# Batches and payments


class TrancheUnknownError(LedgerError):
    """The program's schedule has no such tranche."""

    code = "tranche_unknown"
    sentence = "{program} has tranches 1 to {last}, not {tranche}; check --tranche or the program's schedule"
    program: str
    tranche: int
    last: int


class CeilingExceededError(LedgerError):
    """The amount is more than this tranche or group may get."""

    code = "ceiling_exceeded"
    sentence = "{asked} is over the {ceiling} that {program} allows here; correct the amount"
    program: str
    asked: str
    """The amount; only its shape if it is so long that it may be an account or another number of a person."""
    ceiling: int


class AlreadyPaidError(LedgerError):
    """This tranche has already reached this recipient."""

    code = "already_paid"
    sentence = "this tranche was already paid in batch {batch_id}; see `salur history {payment_id}`"
    payment_id: str
    batch_id: str


class BatchUnknownError(LedgerError):
    """No batch has that id."""

    code = "batch_unknown"
    sentence = "no batch {batch_id}{nearest}; see `salur disburse status`"
    batch_id: str
    nearest: str = ""


class BatchExistsError(LedgerError):
    """A batch of that id holds something else."""

    code = "batch_exists"
    sentence = "batch {batch_id} exists and is {status} with other content; name this one with --batch"
    batch_id: str
    status: str


class BatchEmptyError(LedgerError):
    """No row of the file can be paid."""

    code = "batch_empty"
    sentence = "none of the {refused} rows can be paid; the rejects file tells why for each"
    refused: int


class BatchStateError(LedgerError):
    """The batch is not in the state that this step needs."""

    code = "batch_state"
    sentence = "batch {batch_id} is {status}; {remedy}"
    batch_id: str
    status: str
    remedy: str


class BatchListChangedError(LedgerError):
    """The payment list is not the one that was proposed and approved."""

    code = "batch_list_changed"
    sentence = "the payment list of {batch_id} is not what was approved ({what} differs); nothing was paid, propose the file again"
    batch_id: str
    what: str


class BatchListMissingError(LedgerError):
    """The payment list of the batch is not in the ledger's folder."""

    code = "batch_list_missing"
    sentence = "the payment list {path} is missing; propose the same file again to restore it"
    path: str


class PaymentUnknownError(LedgerError):
    """No such payment was made."""

    code = "payment_unknown"
    sentence = "no payment {payment_id}{nearest}; payments are named PROGRAM/TRANCHE/RECIPIENT"
    payment_id: str
    nearest: str = ""


class PaymentStateError(LedgerError):
    """The payment is not in the state that this step needs."""

    code = "payment_state"
    sentence = "payment {payment_id} is {status}; only a payment that is {needed} can be {step}"
    payment_id: str
    status: str
    needed: str
    step: str


# Groups


class GroupUnknownError(LedgerError):
    """No such group was funded."""

    code = "group_unknown"
    sentence = "no group {group_id} in {program}{nearest}; see `salur report groups`"
    program: str
    group_id: str
    nearest: str = ""


class GroupFundedError(LedgerError):
    """The group already has its grant."""

    code = "group_already_funded"
    sentence = "group {group_id} of {program} was already funded on other papers; a group is funded once"
    program: str
    group_id: str


class PapersMissingError(LedgerError):
    """A group without its papers gets no money."""

    code = "papers_missing"
    sentence = "group {group_id} has no {paper}; no papers, no money"
    group_id: str
    paper: str


class DecreeOutsideYearError(LedgerError):
    """The decree is dated outside the program's fiscal year."""

    code = "decree_outside_fiscal_year"
    sentence = (
        "the decree of group {group_id} is dated {decree_on}, outside fiscal year {fiscal_year}; give one of that year"
    )
    group_id: str
    decree_on: str
    fiscal_year: int


class RosterInvalidError(LedgerError):
    """A member of the roster cannot be taken, so the group cannot be funded."""

    code = "roster_invalid"
    sentence = "group {group_id} has {bad_members} members that cannot be taken; correct them and give the group again"
    group_id: str
    bad_members: int


class MemberElsewhereError(LedgerError):
    """A person is in one group of a program only."""

    code = "member_elsewhere"
    sentence = "this person is already in group {group_id} of {program}; name another member"
    program: str
    group_id: str


class ReportGivenError(LedgerError):
    """The group's accountability report is already in."""

    code = "report_given"
    sentence = "the report of group {group_id} is already recorded as {report_ref}; check which group this one is from"
    group_id: str
    report_ref: str


# Goods and destinations


class ItemUnknownError(LedgerError):
    """Nothing of that item was ever stocked."""

    code = "item_unknown"
    sentence = "no item {item} in stock{nearest}; record it with `salur goods stock`"
    item: str
    nearest: str = ""


class UnitMismatchError(LedgerError):
    """An item is counted in one unit only."""

    code = "unit_mismatch"
    sentence = "{item} is counted in {unit}, not in {given}; give the quantity in {unit}"
    item: str
    unit: str
    given: str


class StockInsufficientError(LedgerError):
    """No more can be shipped than is stocked."""

    code = "stock_insufficient"
    sentence = "{item}: {asked} asked, {available} in stock; ship less or record the stock that came in"
    item: str
    asked: int
    available: int


class ShipmentExistsError(LedgerError):
    """A shipment of that id holds something else."""

    code = "shipment_exists"
    sentence = "shipment {shipment_id} exists with other content; give this one an id of its own"
    shipment_id: str


class ShipmentUnknownError(LedgerError):
    """No shipment has that id."""

    code = "shipment_unknown"
    sentence = "no shipment {shipment_id}{nearest}; see `salur report aid`"
    shipment_id: str
    nearest: str = ""


class DeliveryExceedsShipmentError(LedgerError):
    """No more can be delivered than is under way."""

    code = "delivery_exceeds_shipment"
    sentence = "shipment {shipment_id}: {asked} delivered, {open_quantity} under way; correct the quantity"
    shipment_id: str
    asked: int
    open_quantity: int


class DestinationOpenError(LedgerError):
    """The destination was reopened before, by another decree."""

    code = "destination_open"
    sentence = "{country} was already reopened by {decree_ref}; it needs no other decree"
    country: str
    decree_ref: str


class ThingUnknownError(LedgerError):
    """Nothing in the ledger has that name."""

    code = "thing_unknown"
    sentence = "nothing named {thing} in the ledger{nearest}; give an id as the reports show it"
    thing: str
    nearest: str = ""


class LogSizeError(LedgerError):
    """The log is shorter than the size asked for."""

    code = "log_size"
    sentence = "the ledger holds {size} events, --known-at asks for {asked}; give a size up to that or an instant"
    size: int
    asked: int


class FigureUnknownError(LedgerError):
    """No report has that figure, or it is no sum of events."""

    code = "figure_unknown"
    sentence = "no figure {figure}: {problem}{nearest}; choose from: {known}"
    figure: str
    problem: str
    known: str
    nearest: str = ""


class ProofsTooManyError(LedgerError):
    """More proofs are asked for at once than are written at once."""

    code = "proofs_too_many"
    sentence = "{asked} proofs asked for, at most {most} are written at once; choose a page with --page"
    asked: int
    most: int
