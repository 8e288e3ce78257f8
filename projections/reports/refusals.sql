-- One row a command, program and reason: how many rows of files were refused for it.
-- A file read again replaces its earlier count; program is null for files that concern none.
SELECT command, program, refusal.code AS reason, SUM(CAST(refusal.rows AS DECIMAL(38, 0))) AS rows
FROM (
    SELECT
        CASE kind
            WHEN 'grants' THEN 'group propose'
            WHEN 'reissues' THEN 'payment reissue'
            WHEN 'refunds' THEN 'payment refund'
            ELSE 'disburse propose'
        END AS command, program,
        explode(refused) AS refusal
    FROM events
    WHERE event = 'BatchProposed'
    UNION ALL
    SELECT 'disburse run' AS command, program, explode(refused) AS refusal
    FROM events
    WHERE event = 'BatchExecuted'
    UNION ALL
    SELECT REPLACE(command, '-', ' ') AS command, program, explode(refused) AS refusal
    FROM (
        SELECT command, program, refused, ROW_NUMBER() OVER (PARTITION BY stream ORDER BY version DESC) AS newest
        FROM events
        WHERE event = 'FileProcessed'
    ) AS readings
    WHERE newest = 1
) AS refusals
GROUP BY command, program, refusal.code
ORDER BY command NULLS LAST, program NULLS FIRST, reason NULLS LAST
