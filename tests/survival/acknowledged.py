"""What a process that may be killed has acknowledged, written down beside the ledger."""

import os
from pathlib import Path
from typing import Any

from ledger.application.ledger import Ledger


def write_down(path: Path) -> None:
    """From now on, write the size of the log into a file once a transaction of this process is acknowledged."""
    seen = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    carry_out = Ledger.carry_out

    def told(ledger: Ledger, *given: Any, **named: Any) -> Any:
        recorded = carry_out(ledger, *given, **named)
        os.write(seen, f"{ledger.store.size()}\n".encode())
        return recorded

    Ledger.carry_out = told  # type: ignore[assignment]
