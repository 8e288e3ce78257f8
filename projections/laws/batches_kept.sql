-- No batch pays more than was proposed, and one that was executed or called off paid exactly what it says.
SELECT
    proposed.log_index,
    proposed.stream,
    CASE
        WHEN paid.payments > proposed.count OR paid.total > proposed.total
            THEN CAST(paid.payments AS STRING) || ' payments of ' || CAST(paid.total AS STRING) || ' paid, '
                || CAST(proposed.count AS STRING) || ' of ' || CAST(proposed.total AS STRING) || ' proposed'
        WHEN executed.count <> COALESCE(paid.payments, 0) OR executed.total <> COALESCE(paid.total, 0)
            THEN CAST(COALESCE(paid.payments, 0) AS STRING) || ' payments of '
                || CAST(COALESCE(paid.total, 0) AS STRING) || ' paid, executed as '
                || CAST(executed.count AS STRING) || ' of ' || CAST(executed.total AS STRING)
    END AS detail
FROM log AS proposed
LEFT JOIN log AS executed
    ON executed.event IN ('BatchExecuted', 'BatchCancelled') AND executed.batch_id = proposed.batch_id
LEFT JOIN (
    SELECT batch_id, COUNT(*) AS payments, SUM(amount) AS total
    FROM log
    WHERE event IN ('TrancheDisbursed', 'GroupFunded', 'TrancheReissued', 'TrancheRefunded')
    GROUP BY batch_id
) AS paid ON paid.batch_id = proposed.batch_id
WHERE proposed.event = 'BatchProposed'
