-- What the figures of `batches` are the sums of; money in minor units of the currency.
SELECT steps.log_index, steps.batch_id, steps.column_name, CAST(steps.value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, batch_id, 'count' AS column_name, count AS value FROM events WHERE event = 'BatchProposed'
    UNION ALL
    SELECT log_index, batch_id, 'total' AS column_name, total AS value FROM events WHERE event = 'BatchProposed'
    UNION ALL
    SELECT log_index, batch_id, 'refused' AS column_name, SUM(CAST(refusal.rows AS DECIMAL(38, 0))) AS value
    FROM (
        SELECT log_index, batch_id, explode(refused) AS refusal
        FROM events
        WHERE event IN ('BatchProposed', 'BatchExecuted')
    ) AS reasons
    GROUP BY log_index, batch_id
    UNION ALL
    SELECT log_index, batch_id, 'paid_count' AS column_name, 1 AS value
    FROM events
    WHERE event IN ('TrancheDisbursed', 'GroupFunded', 'TrancheReissued', 'TrancheRefunded')
    UNION ALL
    SELECT log_index, batch_id, 'paid_total' AS column_name, amount AS value
    FROM events
    WHERE event IN ('TrancheDisbursed', 'GroupFunded', 'TrancheReissued', 'TrancheRefunded')
) AS steps
JOIN (SELECT DISTINCT batch_id FROM events WHERE event = 'BatchProposed') AS proposed
    ON proposed.batch_id = steps.batch_id
