-- One row a program and kind of help: how many people, each counted once a row.
-- kind 'referral' stands for people referred to another scheme, named in the place of the program.
SELECT program, kind, CAST(SUM(BIT_COUNT(people)) AS BIGINT) AS people
FROM (
    SELECT program, kind, block, BIT_OR(people) AS people FROM helped GROUP BY program, kind, block
) AS sets
GROUP BY program, kind
UNION ALL
SELECT scheme AS program, 'referral' AS kind, COUNT(DISTINCT recipient_id) AS people
FROM events
WHERE event = 'RecipientReferred'
GROUP BY scheme
ORDER BY program NULLS LAST, kind NULLS LAST
