"""What the ledger does: each command's work, from an officer's words to events that are stored.

A *command* says who acts, on which business date, under which reference and with whose keys. What it asks for is its
*request*. An *attempt* is one run of a decision over what it loads; if another writer was faster, the command makes
another attempt. A *chunk* is so many rows of a file as one transaction records, and a *tally* counts what became of the
rows. `Ledger.carry_out` is the only way in which anything is recorded.

A kind of work is one file: registration, disbursement, aftercare, grants and so on.
"""
