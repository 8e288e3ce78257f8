"""What a ledger promises on SQLite it promises on PostgreSQL: the same tests, on this folder's `ledger`."""

import importlib.util
import inspect
import sys
from pathlib import Path

LEDGER_TESTS = Path(__file__).parents[1] / "ledger"
MODULES = (
    "test_aftercare",
    "test_batch",
    "test_conditions",
    "test_disbursement",
    "test_goods",
    "test_grants",
    "test_group",
    "test_history",
    "test_officer",
    "test_payment",
    "test_program",
    "test_recipient",
    "test_registration",
    "test_services",
    "test_stored_events",
    "test_vault_proved",
)

for module_name in MODULES:
    spec = importlib.util.spec_from_file_location(f"{module_name}_on_postgres", LEDGER_TESTS / f"{module_name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    for name, found in list(vars(module).items()):
        if inspect.isfunction(found) and name.startswith("test_") and "ledger" in inspect.signature(found).parameters:
            globals()[f"{name}__{module_name.removeprefix('test_')}"] = found
        elif type(found).__name__ == "FixtureFunctionDefinition":
            globals()[name] = found
