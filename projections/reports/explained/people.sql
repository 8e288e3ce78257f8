-- What the figures of `people` are the sums of: a person counts 1 where they are first helped that way, -1 where no
-- such help is left (a reversed payment was the only one), and 1 again with the next.
SELECT log_index, program, kind, column_name, CAST(value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT
        log_index, program, kind, 'people' AS column_name,
        CASE WHEN helped > 0 THEN 1 ELSE 0 END - CASE WHEN helped - step > 0 THEN 1 ELSE 0 END AS value
    FROM (
        SELECT
            log_index, program, kind, step,
            SUM(step) OVER (PARTITION BY program, kind, recipient ORDER BY log_index) AS helped
        FROM helped_steps
    ) AS running
    UNION ALL
    SELECT MIN(log_index) AS log_index, scheme AS program, 'referral' AS kind, 'people' AS column_name, 1 AS value
    FROM events
    WHERE event = 'RecipientReferred'
    GROUP BY scheme, recipient_id
) AS steps
