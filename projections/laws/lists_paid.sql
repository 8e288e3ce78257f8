-- What an executed batch paid, and what of it is named as refused, is the very list that was approved (by its SHA-256).
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
            || array_join(array_sort(array_agg(line || chr(10))), ''),
            256
        ) AS rows_sha256
    FROM (
        SELECT batch_id, recipient_id || ',' || CAST(amount AS STRING) AS line
        FROM log
        WHERE event = 'TrancheDisbursed'
        UNION ALL
        SELECT batch_id, explode(lines) AS line FROM log WHERE event = 'BatchRowsRefused'
    ) AS listed
    GROUP BY batch_id
) AS paid ON paid.batch_id = proposed.batch_id
LEFT JOIN (
    SELECT DISTINCT batch_id FROM log WHERE event = 'BatchRowsRefused'
) AS named ON named.batch_id = proposed.batch_id
-- Before rows were named, only how many were refused was recorded.
WHERE proposed.event = 'BatchProposed' AND proposed.kind IS NULL
    AND (COALESCE(array_size(executed.refused), 0) = 0 OR named.batch_id IS NOT NULL)
