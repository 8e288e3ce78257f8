"""The law of payment lists: what was paid is held against the lists themselves, whose hashes two officers signed.

Unlike what the events alone show, it also covers a batch some rows of which were refused when it was run.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.batch import BatchProposed
from ledger.store.durable import sha256_of
from projections.laws.law import BREACHES_MAX, Breach, Law, verdicts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SENTENCE = (
    "Each payment stands, with its amount, on the list of its batch that was proposed and approved by its SHA-256."
)

_PAID = """
SELECT paid.log_index, paid.stream,
    CASE
        WHEN listed.amount IS NULL THEN 'is not on the list of batch ' || paid.batch_id || ' that was signed'
        WHEN listed.amount <> paid.amount OR paid.amount IS NULL
            THEN 'pays ' || COALESCE(CAST(paid.amount AS VARCHAR), 'nothing') || ', the list that was signed says '
                || CAST(listed.amount AS VARCHAR)
    END AS detail
FROM log AS paid
JOIN genuine ON genuine.batch_id = paid.batch_id
LEFT JOIN listed ON listed.batch_id = paid.batch_id AND listed.recipient_id = paid.recipient_id
WHERE paid.event = 'TrancheDisbursed'
"""
_COUNTED = """
SELECT ended.log_index, ended.stream,
    CASE WHEN counted.rows <> ended.count + ended.refused_rows
        THEN CAST(counted.rows AS VARCHAR) || ' on the list, ' || CAST(ended.count AS VARCHAR) || ' paid and '
            || CAST(ended.refused_rows AS VARCHAR) || ' refused'
    END AS detail
FROM (
    SELECT log_index, stream, batch_id, count,
        COALESCE(list_sum(list_transform(refused, lambda each: each.rows)), 0) AS refused_rows
    FROM log WHERE event = 'BatchExecuted'
) AS ended
JOIN (SELECT batch_id, COUNT(*) AS rows FROM listed GROUP BY batch_id) AS counted USING (batch_id)
"""
_PROPOSED = """
SELECT proposed.log_index, proposed.stream,
    CASE WHEN counted.rows <> proposed.count OR counted.total <> proposed.total
        THEN 'proposed as ' || CAST(proposed.count AS VARCHAR) || ' of ' || CAST(proposed.total AS VARCHAR)
            || ', the list has ' || CAST(counted.rows AS VARCHAR) || ' of ' || CAST(counted.total AS VARCHAR)
    END AS detail
FROM log AS proposed
JOIN (SELECT batch_id, COUNT(*) AS rows, SUM(amount) AS total FROM listed GROUP BY batch_id) AS counted USING (batch_id)
WHERE proposed.event = 'BatchProposed'
"""
_UNLISTED = """
SELECT MIN(paid.log_index), 'batch/' || paid.batch_id,
    CAST(COUNT(*) AS VARCHAR) || ' payments cannot be held against the list, which is not here'
FROM log AS paid
LEFT JOIN log AS ended ON ended.event = 'BatchExecuted' AND ended.batch_id = paid.batch_id
LEFT JOIN genuine ON genuine.batch_id = paid.batch_id
WHERE paid.event = 'TrancheDisbursed' AND genuine.batch_id IS NULL
    -- The law lists-paid makes the list of a batch that was run to its end from its payments and its refused rows.
    AND (
        ended.batch_id IS NULL OR COALESCE(len(ended.refused), 0) > 0 AND NOT EXISTS (
            SELECT 1 FROM log AS named WHERE named.event = 'BatchRowsRefused' AND named.batch_id = paid.batch_id
        )
    )
GROUP BY paid.batch_id
ORDER BY 1
"""


def check_lists(
    connection: "DuckDBPyConnection", folder: Path, proposals: list[BatchProposed], *, is_export: bool
) -> Law:
    """Hold every payment against the lists in a folder."""
    law = Law("lists-signed", SENTENCE)
    genuine = {}
    for proposal in proposals:
        path = folder / proposal.list_name
        held = sha256_of(path)
        if held == proposal.rows_sha256:
            if proposal.kind is None:  # the law acts-exact holds any other list against its events
                genuine[proposal.batch_id] = path
        elif held is not None:
            law.breach(Breach(None, str(path), "is not the list that was signed: its SHA-256 is another"))
    known = {proposal.list_name for proposal in proposals}
    for path in sorted(folder.glob("*")):
        if is_export and path.name not in known:
            law.breach(Breach(None, str(path), "is the list of no batch"))
    _load(connection, genuine)
    for query in (_PROPOSED, _PAID, _COUNTED):
        checked, broken_count, first = verdicts(connection, query)
        law.checked += checked
        for found in first:
            law.breach(found)
        law.broken_count += broken_count - len(first)
    for row in connection.execute(_UNLISTED).fetchmany(BREACHES_MAX):
        law.notice(Breach(*row))
    return law


def _load(connection: "DuckDBPyConnection", genuine: dict[str, Path]) -> None:
    connection.execute("CREATE OR REPLACE TABLE genuine (batch_id VARCHAR)")
    connection.execute("CREATE OR REPLACE TABLE listed (batch_id VARCHAR, recipient_id VARCHAR, amount BIGINT)")
    if not genuine:
        return
    connection.execute("INSERT INTO genuine SELECT unnest(?)", [list(genuine)])
    columns = "{'recipient_id': 'VARCHAR', 'amount': 'BIGINT'}"
    connection.execute(
        f"INSERT INTO listed SELECT parse_filename(filename, true), recipient_id, amount FROM read_csv(?, header=true,"  # noqa: S608  # our own names
        f" columns={columns}, delim=',', quote='', escape='', filename=true)",
        [[str(path) for path in genuine.values()]],
    )
