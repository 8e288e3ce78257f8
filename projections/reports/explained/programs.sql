-- What the figures of `programs` are the sums of. A person counts 1 where they are first helped, -1 where no help is
-- left (a reversed payment was the only one), and 1 again with the next.
SELECT steps.log_index, steps.program, steps.column_name, CAST(steps.value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, program, figure AS column_name, value
    FROM money_steps
    UNION ALL
    SELECT money_steps.log_index, branches.program, 'disbursed_in_all' AS column_name, money_steps.value
    FROM money_steps
    JOIN branches ON branches.member = money_steps.program
    WHERE money_steps.figure = 'disbursed'
    UNION ALL
    SELECT money_steps.log_index, branches.program, 'groups_in_all' AS column_name, money_steps.value
    FROM money_steps
    JOIN branches ON branches.member = money_steps.program
    WHERE money_steps.figure = 'groups'
    UNION ALL
    SELECT
        log_index, program, 'recipients' AS column_name,
        CASE WHEN helped > 0 THEN 1 ELSE 0 END - CASE WHEN helped - step > 0 THEN 1 ELSE 0 END AS value
    FROM (
        SELECT
            log_index, program, step, SUM(step) OVER (PARTITION BY program, recipient ORDER BY log_index) AS helped
        FROM helped_steps
        WHERE is_paid
    ) AS running
    UNION ALL
    SELECT
        log_index, program, 'people' AS column_name,
        CASE WHEN helped > 0 THEN 1 ELSE 0 END - CASE WHEN helped - step > 0 THEN 1 ELSE 0 END AS value
    FROM (
        SELECT
            log_index, program, step, SUM(step) OVER (PARTITION BY program, recipient ORDER BY log_index) AS helped
        FROM helped_steps
    ) AS running
    UNION ALL
    SELECT
        log_index, program, 'people_in_all' AS column_name,
        CASE WHEN helped > 0 THEN 1 ELSE 0 END - CASE WHEN helped - step > 0 THEN 1 ELSE 0 END AS value
    FROM (
        SELECT
            helped_steps.log_index, branches.program, helped_steps.step,
            SUM(helped_steps.step)
                OVER (PARTITION BY branches.program, helped_steps.recipient ORDER BY helped_steps.log_index) AS helped
        FROM helped_steps
        JOIN branches ON branches.member = helped_steps.program
    ) AS running
) AS steps
JOIN (SELECT DISTINCT program FROM events WHERE event = 'ProgramOpened') AS opened ON opened.program = steps.program
