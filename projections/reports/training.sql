-- One row a program with training: sessions held, people who came (each once), attendances, and groups they came from.
SELECT
    program,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(DISTINCT recipient_id) AS people,
    COUNT(*) AS attendances,
    COUNT(DISTINCT group_id) AS groups
FROM events
WHERE event = 'TrainingAttended'
GROUP BY program
ORDER BY program NULLS LAST
