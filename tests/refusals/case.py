"""The cases of refusals: how each is provoked, and what it is to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.application.ledger import Ledger

Case = Callable[[Ledger, Path], tuple[dict[str, Any], Callable[[], object]]]
CASES: dict[str, Case] = {}
"""Code of a refusal → what prepares it, and gives the fields to be expected and the act to be refused."""


def refusal(case: Case) -> Case:
    """Let a case provoke the refusal whose code is its name."""
    CASES[case.__name__] = case
    return case
