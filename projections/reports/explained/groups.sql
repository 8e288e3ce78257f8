-- What the figures of `groups` are the sums of. A report is due from the day of the grant until it is given; a person
-- counts where they first join a group of the program.
SELECT log_index, program, column_name, CAST(value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, program, 'groups' AS column_name, 1 AS value FROM events WHERE event = 'GroupFunded'
    UNION ALL
    SELECT log_index, program, 'funded' AS column_name, amount AS value FROM events WHERE event = 'GroupFunded'
    UNION ALL
    SELECT log_index, program, 'reports_due' AS column_name, 1 AS value FROM events WHERE event = 'GroupFunded'
    UNION ALL
    SELECT events.log_index, events.program, 'reports_overdue' AS column_name, 1 AS value
    FROM events
    CROSS JOIN context
    WHERE events.event = 'GroupFunded' AND events.report_due_on < context.as_of
    UNION ALL
    SELECT
        reported.log_index, funded.program, changes.column_name,
        CASE
            WHEN changes.column_name = 'reports_overdue' AND funded.report_due_on < context.as_of THEN -1
            WHEN changes.column_name = 'reports_overdue' THEN 0
            ELSE changes.value
        END AS value
    FROM events AS funded
    JOIN (
        SELECT stream, MIN(log_index) AS log_index FROM events WHERE event = 'AccountabilityReported' GROUP BY stream
    ) AS reported ON reported.stream = funded.stream
    CROSS JOIN context
    CROSS JOIN (
        SELECT 'reports_given' AS column_name, 1 AS value
        UNION ALL
        SELECT 'reports_due' AS column_name, -1 AS value
        UNION ALL
        SELECT 'reports_overdue' AS column_name, -1 AS value
    ) AS changes
    WHERE funded.event = 'GroupFunded'
    UNION ALL
    SELECT first_joined.log_index, first_joined.program, 'people' AS column_name, 1 AS value
    FROM (
        SELECT program, recipient_id, MIN(log_index) AS log_index
        FROM events
        WHERE event = 'GroupJoined'
        GROUP BY program, recipient_id
    ) AS first_joined
    JOIN (SELECT DISTINCT program FROM events WHERE event = 'GroupFunded') AS funded
        ON funded.program = first_joined.program
) AS steps
