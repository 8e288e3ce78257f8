-- Every member stands on the roster of a funded group, and no person is in two groups of one program.
SELECT
    joined.log_index,
    joined.stream,
    CASE
        WHEN member.recipient_id IS NULL
            THEN joined.recipient_id || ' is not on the roster of group ' || joined.group_id
        WHEN joined.place > 1 THEN joined.recipient_id || ' joined a group of ' || joined.program || ' before'
    END AS detail
FROM (
    SELECT
        log_index, stream, program, group_id, recipient_id,
        ROW_NUMBER() OVER (PARTITION BY program, recipient_id ORDER BY log_index) AS place
    FROM log
    WHERE event = 'GroupJoined'
) AS joined
LEFT JOIN (
    SELECT DISTINCT program, group_id, recipient_id
    FROM (
        SELECT program, group_id, explode(members) AS recipient_id FROM log WHERE event = 'GroupFunded'
    ) AS rosters
) AS member
    ON member.program = joined.program AND member.group_id = joined.group_id
    AND member.recipient_id = joined.recipient_id
