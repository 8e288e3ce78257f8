-- What the amounts of `returns` are the sums of. An attempt's money is back from its return until it is paid again or
-- refunded, and is taken over by the next attempt where that one comes back as well.
SELECT log_index, payment_id, 'amount' AS column_name, CAST(SUM(value) AS DECIMAL(38, 0)) AS value
FROM (
    SELECT
        log_index,
        program || '/' || CAST(tranche AS STRING) || '/' || recipient_id
            || CASE WHEN attempt > 1 THEN '/' || CAST(attempt AS STRING) ELSE '' END AS payment_id,
        returned AS value
    FROM (
        SELECT
            log_index, program, tranche, recipient_id,
            MAX(CASE WHEN event = 'TrancheReturned' THEN attempt END) OVER (PARTITION BY stream ORDER BY log_index)
                AS attempt,
            SUM(CASE WHEN event = 'TrancheReturned' THEN amount ELSE -amount END)
                OVER (PARTITION BY stream ORDER BY log_index) AS returned
        FROM events
        WHERE event IN ('TrancheReturned', 'TrancheRefunded') OR (event = 'TrancheReissued' AND after = 'return')
    ) AS now
    WHERE returned > 0
    UNION ALL
    SELECT
        replaced_by AS log_index,
        program || '/' || CAST(tranche AS STRING) || '/' || recipient_id
            || CASE WHEN attempt > 1 THEN '/' || CAST(attempt AS STRING) ELSE '' END AS payment_id,
        -returned AS value
    FROM (
        SELECT
            program, tranche, recipient_id,
            LEAD(log_index) OVER (PARTITION BY stream ORDER BY log_index) AS replaced_by,
            MAX(CASE WHEN event = 'TrancheReturned' THEN attempt END) OVER (PARTITION BY stream ORDER BY log_index)
                AS attempt,
            SUM(CASE WHEN event = 'TrancheReturned' THEN amount ELSE -amount END)
                OVER (PARTITION BY stream ORDER BY log_index) AS returned
        FROM events
        WHERE event IN ('TrancheReturned', 'TrancheRefunded') OR (event = 'TrancheReissued' AND after = 'return')
    ) AS before
    WHERE returned > 0 AND replaced_by IS NOT NULL
) AS steps
WHERE payment_id IS NOT NULL
GROUP BY log_index, payment_id
