-- What the figures of `tranches` are the sums of. A payment counts 1 when it is made, -1 when it is reversed, 1 when it
-- is made again; settled is what the bank's confirmation adds, and what comes after it takes away.
SELECT steps.log_index, steps.program, steps.tranche, steps.column_name, CAST(steps.value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT
        log_index, program, tranche, 'disbursed' AS column_name,
        CASE WHEN event = 'TrancheReversed' THEN -amount ELSE amount END AS value
    FROM events
    WHERE event IN ('TrancheDisbursed', 'TrancheReversed') OR (event = 'TrancheReissued' AND after = 'reversal')
    UNION ALL
    SELECT
        log_index, program, tranche, 'returned' AS column_name,
        CASE WHEN event = 'TrancheReturned' THEN amount ELSE -amount END AS value
    FROM events
    WHERE event IN ('TrancheReturned', 'TrancheRefunded') OR (event = 'TrancheReissued' AND after = 'return')
    UNION ALL
    SELECT log_index, program, tranche, 'reissued' AS column_name, amount AS value
    FROM events
    WHERE event = 'TrancheReissued'
    UNION ALL
    SELECT log_index, program, tranche, 'refunded' AS column_name, amount AS value
    FROM events
    WHERE event = 'TrancheRefunded'
    UNION ALL
    SELECT log_index, program, tranche, 'payments' AS column_name, payments AS value
    FROM payment_steps
    UNION ALL
    SELECT log_index, program, tranche, 'open_returns' AS column_name, open_returns AS value
    FROM payment_steps
    UNION ALL
    SELECT log_index, program, tranche, 'settled' AS column_name, settled AS value
    FROM payment_steps
) AS steps
JOIN schedules ON schedules.program = steps.program AND schedules.tranche = steps.tranche
