-- One row a program with a funded group. people: members, each once. funded: grants, minor units of the currency.
-- reports_due: groups without an accountability report; reports_overdue: those of them whose day is past.
SELECT
    funded.program,
    COUNT(*) AS groups,
    COALESCE(MAX(joined.people), 0) AS people,
    SUM(funded.amount) AS funded,
    COUNT(CASE WHEN reported.stream IS NULL THEN 1 END) AS reports_due,
    COUNT(CASE WHEN reported.stream IS NULL AND funded.report_due_on < context.as_of THEN 1 END) AS reports_overdue,
    COUNT(reported.stream) AS reports_given
FROM events AS funded
CROSS JOIN context
LEFT JOIN (
    SELECT DISTINCT stream FROM events WHERE event = 'AccountabilityReported'
) AS reported ON reported.stream = funded.stream
LEFT JOIN (
    SELECT program, COUNT(DISTINCT recipient_id) AS people FROM events WHERE event = 'GroupJoined' GROUP BY program
) AS joined ON joined.program = funded.program
WHERE funded.event = 'GroupFunded'
GROUP BY funded.program
ORDER BY funded.program NULLS LAST
