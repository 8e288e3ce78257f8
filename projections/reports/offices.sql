-- One row a time in which an officer held a role: after the event `since`, until the event `until` (null: to this day), by
-- their indices in the log.
SELECT officer_id, role, since, until
FROM (
    SELECT officer_id, since, until, explode(roles) AS role
    FROM (
        SELECT
            officer_id, event, roles, log_index AS since,
            LEAD(log_index) OVER (PARTITION BY officer_id ORDER BY log_index) AS until
        FROM events
        WHERE event IN ('OfficerEnrolled', 'RolesChanged', 'OfficerRevoked')
    ) AS changes
    WHERE event <> 'OfficerRevoked'
) AS held
