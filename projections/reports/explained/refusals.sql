-- What the rows of `refusals` are the sums of. A file read again takes away what its earlier reading counted.
SELECT log_index, command, program, reason, 'rows' AS column_name, CAST(SUM(value) AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, command, program, refusal.code AS reason, CAST(refusal.rows AS DECIMAL(38, 0)) AS value
    FROM (
        SELECT
            log_index,
            CASE
                WHEN event = 'BatchProposed' AND kind IS NULL THEN 'disburse propose'
                WHEN event = 'BatchProposed' THEN 'group propose'
                WHEN event = 'BatchExecuted' THEN 'disburse run'
                ELSE REPLACE(command, '-', ' ')
            END AS command,
            program,
            explode(refused) AS refusal
        FROM events
        WHERE event IN ('BatchProposed', 'BatchExecuted', 'FileProcessed')
    ) AS counted
    UNION ALL
    SELECT log_index, command, program, refusal.code AS reason, -CAST(refusal.rows AS DECIMAL(38, 0)) AS value
    FROM (
        SELECT replaced_by AS log_index, REPLACE(command, '-', ' ') AS command, program, explode(refused) AS refusal
        FROM (
            SELECT
                command, program, refused, LEAD(log_index) OVER (PARTITION BY stream ORDER BY version) AS replaced_by
            FROM events
            WHERE event = 'FileProcessed'
        ) AS readings
        WHERE replaced_by IS NOT NULL
    ) AS replaced
) AS steps
GROUP BY log_index, command, program, reason
