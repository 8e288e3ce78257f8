"""The library's own tests of a recorder pass on both of ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests.persistence import ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase

from ledger.store.postgres import PostgresLedgerFactory, PostgresLedgerRecorder
from ledger.store.sqlite import LedgerFactory, SQLiteLedgerRecorder
from tests.postgres.server import Server


@contextmanager
def joined() -> Iterator[None]:
    """Wait for the threads that a test began: one of the library's leaves readers at work when it ends."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join()


class OnSQLite:
    """Makes the recorder of a new file."""

    @pytest.fixture(autouse=True)
    def _made(self, tmp_path: Path) -> Iterator[None]:
        factory = LedgerFactory(tmp_path / "events.db")
        self.recorder: Any = factory.application_recorder()
        with joined():
            yield
        assert type(self.recorder) is SQLiteLedgerRecorder
        factory.close()

    def create_recorder(self) -> ApplicationRecorder:
        return cast("ApplicationRecorder", self.recorder)

    def new_originator_id(self) -> str:
        return f"test/{uuid4()}"


class OnPostgres(OnSQLite):
    """Makes the recorder of a new database."""

    @pytest.fixture(autouse=True)
    def _made(self, server: Server) -> Iterator[None]:
        factory = PostgresLedgerFactory(server.address(server.new_database()))
        self.recorder = factory.application_recorder()
        self.recorder.create_table()
        with joined():
            yield
        assert type(self.recorder) is PostgresLedgerRecorder
        factory.close()


class TestApplicationRecorderOnSQLite(OnSQLite, ApplicationRecorderTestCase):
    pass


class TestNonInterleavingOnSQLite(OnSQLite, NonInterleavingNotificationIDsBaseCase):
    pass


class TestApplicationRecorderOnPostgres(OnPostgres, ApplicationRecorderTestCase):
    pass


class TestNonInterleavingOnPostgres(OnPostgres, NonInterleavingNotificationIDsBaseCase):
    pass


del ApplicationRecorderTestCase, NonInterleavingNotificationIDsBaseCase  # not to be collected themselves
