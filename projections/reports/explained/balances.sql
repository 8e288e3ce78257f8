-- What the figures of `balances` are the sums of. entitled comes from the program's opening, with its schedule, and from
-- what changed in that since; outstanding from these, less what was disbursed, and again what came back.
SELECT log_index, recipient_id, program, column_name, CAST(value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT
        log_index, recipient_id, program, 'disbursed' AS column_name,
        CASE WHEN event = 'TrancheReversed' THEN -amount ELSE amount END AS value
    FROM events
    WHERE event IN ('TrancheDisbursed', 'TrancheReversed') OR (event = 'TrancheReissued' AND after = 'reversal')
    UNION ALL
    SELECT
        log_index, recipient_id, program, 'returned' AS column_name,
        CASE WHEN event = 'TrancheReturned' THEN amount ELSE -amount END AS value
    FROM events
    WHERE event IN ('TrancheReturned', 'TrancheRefunded') OR (event = 'TrancheReissued' AND after = 'return')
    UNION ALL
    SELECT log_index, recipient_id, program, 'refunded' AS column_name, amount AS value
    FROM events
    WHERE event = 'TrancheRefunded'
    UNION ALL
    SELECT
        log_index, recipient_id, program, 'outstanding' AS column_name,
        CASE WHEN event IN ('TrancheReturned', 'TrancheReversed') THEN amount ELSE -amount END AS value
    FROM events
    WHERE event IN ('TrancheDisbursed', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
    UNION ALL
    SELECT terms.log_index, paid.recipient_id, paid.program, explode(split('entitled,outstanding', ',')) AS column_name, terms.amount AS value
    FROM (
        SELECT DISTINCT recipient_id, program
        FROM events
        WHERE event IN ('TrancheDisbursed', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
    ) AS paid
    JOIN (
        SELECT
            log_index, program,
            amount - COALESCE(LAG(amount) OVER (PARTITION BY program ORDER BY log_index), 0) AS amount
        FROM (
            SELECT changed.log_index, changed.program, COALESCE(SUM(parts.amount), 0) AS amount
            FROM events AS changed
            LEFT JOIN (
                SELECT log_index, explode(schedule) AS amount
                FROM events
                WHERE event IN ('ProgramOpened', 'ProgramAmended')
            ) AS parts ON parts.log_index = changed.log_index
            WHERE changed.event IN ('ProgramOpened', 'ProgramAmended')
            GROUP BY changed.log_index, changed.program
        ) AS sums
    ) AS terms ON terms.program = paid.program AND terms.amount <> 0
) AS steps
