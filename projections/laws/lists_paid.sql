-- An executed batch, no row of which was refused, paid the very list that was approved (by its SHA-256).
SELECT
    proposed.log_index,
    proposed.stream,
    CASE
        WHEN paid.rows_sha256 IS NULL OR paid.rows_sha256 <> proposed.rows_sha256
            THEN 'the payments hash to ' || COALESCE(paid.rows_sha256, 'nothing')
    END AS detail
FROM log AS proposed
JOIN log AS executed ON executed.event = 'BatchExecuted' AND executed.batch_id = proposed.batch_id
LEFT JOIN (
    SELECT
        batch_id,
        -- Recipients have numbers of one length, so that lines in order are recipients in order.
        sha2(
            'recipient_id,amount' || chr(10)
            || array_join(array_sort(array_agg(recipient_id || ',' || CAST(amount AS STRING) || chr(10))), ''),
            256
        ) AS rows_sha256
    FROM log
    WHERE event = 'TrancheDisbursed'
    GROUP BY batch_id
) AS paid ON paid.batch_id = proposed.batch_id
WHERE proposed.event = 'BatchProposed' AND proposed.kind IS NULL AND COALESCE(array_size(executed.refused), 0) = 0
