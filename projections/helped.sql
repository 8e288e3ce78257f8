-- One row a person helped by a program and the way of it; a person helped twice the same way may stand twice.
-- kind: cash for a payment that is not reversed, the program's own kind for a member of a funded group, training, or
-- the kind recorded with any other support.
SELECT program, 'cash' AS kind, recipient_id FROM payments WHERE disbursed > 0
UNION ALL
SELECT joined.program, COALESCE(opened.kind, 'group-grant') AS kind, joined.recipient_id
FROM events AS joined
LEFT JOIN events AS opened ON opened.event = 'ProgramOpened' AND opened.program = joined.program
WHERE joined.event = 'GroupJoined'
UNION ALL
SELECT program, 'training' AS kind, recipient_id FROM events WHERE event = 'TrainingAttended'
UNION ALL
SELECT program, kind, recipient_id FROM events WHERE event = 'SupportReceived'
