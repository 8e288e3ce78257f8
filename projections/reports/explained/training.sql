-- What the figures of `training` are the sums of: sessions, people and groups count with their first attendance.
SELECT log_index, program, column_name, CAST(1 AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, program, 'attendances' AS column_name FROM events WHERE event = 'TrainingAttended'
    UNION ALL
    SELECT MIN(log_index) AS log_index, program, 'sessions' AS column_name
    FROM events
    WHERE event = 'TrainingAttended'
    GROUP BY program, session_id
    UNION ALL
    SELECT MIN(log_index) AS log_index, program, 'people' AS column_name
    FROM events
    WHERE event = 'TrainingAttended'
    GROUP BY program, recipient_id
    UNION ALL
    SELECT MIN(log_index) AS log_index, program, 'groups' AS column_name
    FROM events
    WHERE event = 'TrainingAttended' AND group_id IS NOT NULL
    GROUP BY program, group_id
) AS steps
