-- One row a program and kind of help: how many people, each counted once a row.
-- kind 'referral' stands for people referred to another scheme, named in the place of the program.
SELECT program, kind, COUNT(DISTINCT recipient_id) AS people
FROM (
    SELECT program, kind, recipient_id FROM helped
    UNION ALL
    SELECT scheme AS program, 'referral' AS kind, recipient_id FROM events WHERE event = 'RecipientReferred'
) AS reached
GROUP BY program, kind
ORDER BY program, kind
