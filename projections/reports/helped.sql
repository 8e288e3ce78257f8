-- One row a program, a way of help and a block of 32 recipients; one person's number is 32 x block + the bit's place.
-- people: a set, with a bit for each person of the block who was helped so, so that people are counted without being
-- sorted. is_paid: by a payment that is not reversed. kind: cash for such a payment, the program's own kind for a member
-- of a funded group, training, or the kind recorded with any other support.
SELECT
    program, kind, is_paid, shiftright(recipient, 5) AS block,
    BIT_OR(shiftleft(CAST(1 AS BIGINT), recipient & 31)) AS people
FROM (
    SELECT program, 'cash' AS kind, TRUE AS is_paid, recipient FROM disbursements WHERE disbursed > 0
    UNION ALL
    SELECT joined.program, COALESCE(opened.kind, 'group-grant') AS kind, FALSE AS is_paid, joined.recipient
    FROM events AS joined
    LEFT JOIN events AS opened ON opened.event = 'ProgramOpened' AND opened.program = joined.program
    WHERE joined.event = 'GroupJoined'
    UNION ALL
    SELECT program, 'training' AS kind, FALSE AS is_paid, recipient FROM events WHERE event = 'TrainingAttended'
    UNION ALL
    SELECT program, kind, FALSE AS is_paid, recipient FROM events WHERE event = 'SupportReceived'
) AS reached
GROUP BY program, kind, is_paid, shiftright(recipient, 5)
