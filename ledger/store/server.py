"""A PostgreSQL database: how it is reached, how long it is waited for, and what its errors mean.

Every wait has an end. Writers queue on a table of one row, which only those may lock who may write: anybody who may
connect can take an advisory lock. A transaction whose answer was lost is resolved by asking again behind the same lock:
the server keeps a transaction's lock until its outcome is visible, so whoever has the lock sees what became of it.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from math import inf
from time import monotonic, sleep
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from ledger.domain.errors import AnswerLostError, IntegrityBrokenError, Said
from ledger.store.errors import (
    DatabaseAddressError,
    DiskFullError,
    PasswordInArgumentError,
    RightsMissingError,
    StoreFailedError,
    StoreLockedError,
    StoreTimeoutError,
    StoreUnreachableError,
)
from ledger.store.postgres_schema import Schema, require_schema

TIMEOUT_S = 10
"""How long a connection, a statement, a lock and an idle transaction may each take; SALUR_DATABASE_TIMEOUT changes it.
"""
MARGIN_S = 5
"""How long an answer is waited for beyond the server's own time-out: after that the connection is dead."""
PAUSE_S = 0.2

T = TypeVar("T")
Work = Callable[["Connection", bool], T]
"""Work for a transaction; its second argument says whether it may be done already, because an earlier answer was lost.
"""

# The driver's warnings (an error ignored in a rollback) repeat what the refusal says.
logging.getLogger("psycopg").setLevel(logging.ERROR)


def timeout_s() -> int:
    """How many seconds the database is given for a step."""
    given = os.environ.get("SALUR_DATABASE_TIMEOUT", "")
    return int(given) if given.isdigit() and int(given) else TIMEOUT_S


def checked_address(address: str) -> str:
    """The address of a database, fit to be kept in a file; an address with a password is refused."""
    try:
        parts = conninfo_to_dict(address)
    except psycopg.Error:  # its text may repeat the address, and so a password
        raise DatabaseAddressError(problem=Said("it cannot be read")) from None
    if parts.keys() & {"password", "sslpassword"}:
        raise PasswordInArgumentError()
    return address


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which no answer is waited for without end."""

    answer_s: float = TIMEOUT_S + MARGIN_S

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for an answer, but not longer than the server may take and some seconds more."""
        try:
            return super().wait(self._bounded(gen), interval, timeout)
        except _NoAnswerError:
            self.close()
            raise

    def _bounded(self, gen: PQGen[T]) -> PQGen[T]:
        deadline = monotonic() + self.answer_s
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready and monotonic() > deadline:
                    gen.close()
                    raise _NoAnswerError(f"no answer within {self.answer_s:.0f} s")
                state = gen.send(ready)
        except StopIteration as ended:
            result: T = ended.value
            return result


class _NoAnswerError(psycopg.OperationalError):
    """The server did not answer within its time."""


class _NotConnectedError(psycopg.OperationalError):
    """The server could not be reached."""


class Database:
    """A PostgreSQL database, and the connections to it: as many as threads use it at once."""

    def __init__(self, address: str, *forms: Schema) -> None:
        """Of a schema whose forms are given, nothing is read or written unless it has one of them."""
        self.timeout_s = timeout_s()
        self._conninfo = _within_bounds(checked_address(address), self.timeout_s)
        self._idle: list[Connection] = []
        self._is_closed = False
        self._forms = forms

    def close(self) -> None:
        """Close the idle connections at once, and those in use when their work ends."""
        self._is_closed = True
        self._forget()

    def _forget(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def read(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement; asked again if the connection was lost."""
        rows: list[tuple[Any, ...]] = self._until_answered(lambda: self._read(statement, values))
        return rows

    def write(self, turn: str | int, work: Work[T]) -> T:
        """Carry out work in one transaction while nobody else has the turn; done once, whatever gets lost.

        The turn is the row of a table, whose name is given. A number is that of an advisory lock: for making tables, and
        for a database that an earlier version made and its owner has not brought up to date.
        Raises `psycopg.IntegrityError`, a refusal (then nothing was recorded), or `AnswerLostError`.
        """
        is_unsure = False

        def attempt() -> T:
            nonlocal is_unsure
            is_sent = False
            try:
                with self._connection() as connection:
                    with connection.transaction():
                        _take(connection, turn)
                        result = work(connection, is_unsure)
                        is_sent = True
                    return result
            except psycopg.OperationalError as error:
                is_unsure = is_unsure or (is_sent and _is_lost(error))
                raise

        return self._until_answered(attempt, is_unsure=lambda: is_unsure)

    def maintain(self, statement: str) -> list[str]:
        """Run a statement outside of any transaction, however long it takes; returns what the server warned of."""
        warnings: list[str] = []
        with self.refusing(), closing(self._connect()) as connection:
            connection.answer_s = inf
            connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
            connection.execute("SET statement_timeout=0")
            connection.execute(statement)
        return warnings

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn the database's errors, but for broken uniqueness, into refusals."""
        try:
            yield
        except psycopg.IntegrityError:
            raise
        except psycopg.Error as error:
            raise refusal_of(error) from error

    def _read(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(statement, values, binary=True).fetchall()

    def _until_answered(self, ask: Callable[[], T], *, is_unsure: Callable[[], bool] = lambda: False) -> T:
        """Ask once; where a working connection was lost, ask again for a while."""
        started: float | None = None
        while True:
            try:
                return ask()
            except psycopg.OperationalError as error:
                has_stood = started is not None or not isinstance(error, _NotConnectedError)
                may_ask_again = has_stood and (_is_lost(error) or is_unsure())
                started = monotonic() if started is None else started
                # A server that has not noticed the loss ends the transaction, and frees its lock, after one time-out.
                if may_ask_again and monotonic() - started < self.timeout_s * (3 if is_unsure() else 1):
                    self._forget()
                    sleep(PAUSE_S)
                    continue
                if is_unsure():
                    raise AnswerLostError(_sentence(error)) from error
                raise refusal_of(error) from error
            except psycopg.IntegrityError:
                raise
            except psycopg.Error as error:
                raise refusal_of(error) from error

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if (
                not self._is_closed
                and not connection.closed
                and connection.info.transaction_status == TransactionStatus.IDLE
            ):
                self._idle.append(connection)
            else:
                connection.close()

    def _connect(self) -> Connection:
        try:
            connection = Connection.connect(self._conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            raise _NotConnectedError(*error.args) from error
        connection.answer_s = self.timeout_s + MARGIN_S
        # Under a stricter level of isolation, the statement that waits for the lock would fix what later statements
        # see.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        if self._forms:
            try:
                self._examine(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _examine(self, connection: Connection) -> None:
        """Hold the schema against its forms, once: nobody changes it under a program that works with it."""

        def ask(statement: str, values: Sequence[object]) -> Sequence[tuple[Any, ...]]:
            return connection.execute(statement, values).fetchall()

        if require_schema(ask, *self._forms):
            self._forms = ()


def _take(connection: Connection, turn: str | int) -> None:
    """Wait until the turn is this transaction's; the transaction's end gives it back."""
    if isinstance(turn, int):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (turn,))
    elif connection.execute(f"SELECT turn FROM {turn} FOR UPDATE").fetchone() is None:  # noqa: S608  # a table of ours
        raise IntegrityBrokenError(
            f"the row of {turn} is gone, on which writers queue; let the database's owner restore a copy, and run"
            " `salur check`"
        )


def _within_bounds(address: str, seconds: int) -> str:
    """The address with a time limit for every wait; limits that it names itself stand."""
    given = conninfo_to_dict(address)
    milliseconds = 1000 * seconds
    settings = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds
        * 9
        // 10,  # a lock that is waited for ends a little before the statement's time, so that the error names the lock
        "idle_in_transaction_session_timeout": milliseconds,
        "tcp_user_timeout": milliseconds,
        "synchronous_commit": "on",  # a commit that is answered is on the disk
        "search_path": "pg_catalog",  # no function or operator that somebody put into `public` is met
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    ours: dict[str, str | int] = {
        "application_name": "salur",
        "connect_timeout": seconds,
        "tcp_user_timeout": milliseconds,
        "keepalives": 1,
        "keepalives_idle": max(1, seconds // 2),
        "keepalives_interval": max(1, seconds // 4),
        "keepalives_count": 2,
    }
    # The environment (PGOPTIONS) or a service file may hold other limits; only those set here are certain.
    theirs = str(given.pop("options", None) or os.environ.get("PGOPTIONS", ""))
    return make_conninfo("", **{**ours, **given, "options": f"{options} {theirs}".strip(), "client_encoding": "UTF8"})


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Whether the connection is gone, or never came about, rather than a statement refused on it."""
    state = error.sqlstate
    return state is None or state.startswith(("08", "57P")) or state in ("25P03", "25P04")


def _sentence(error: psycopg.Error) -> str:
    """The first sentence of an error: details may name values."""
    first = (str(error).strip().splitlines() or ["no reason given"])[0].strip()
    return error.diag.message_primary or re.sub("^connection (is bad|failed): ", "", first)


def refusal_of(error: psycopg.Error) -> Exception:
    """The refusal, or broken integrity, behind an error of the database."""
    text = _sentence(error)
    match error:
        case errors.LockNotAvailable() | errors.DeadlockDetected():
            return StoreLockedError()
        case errors.QueryCanceled():
            return StoreTimeoutError(reason=text)
        case errors.DiskFull():
            return DiskFullError()
        case errors.InsufficientPrivilege():
            return RightsMissingError(reason=text)
        case errors.DataCorrupted() | errors.IndexCorrupted():
            return IntegrityBrokenError(f"the database is damaged ({text}); restore a copy and run `salur check`")
        case psycopg.OperationalError() if _is_lost(error):
            return StoreUnreachableError(reason=text)
    return StoreFailedError(reason=text)
