-- What the figures of `balances` are the sums of. entitled comes from the program's opening, with its schedule;
-- outstanding from that, less what was disbursed, and again what came back.
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
        SELECT log_index, program, SUM(amount) AS amount
        FROM (SELECT log_index, program, explode(schedule) AS amount FROM events WHERE event = 'ProgramOpened') AS parts
        GROUP BY log_index, program
    ) AS terms ON terms.program = paid.program
) AS steps
