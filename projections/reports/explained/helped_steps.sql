-- One row an event that helps a person, program and kind of help: step 1, or -1 where a payment is reversed.
-- Whoever has steps that sum to more than zero is helped. is_paid: by a payment.
SELECT log_index, program, 'cash' AS kind, TRUE AS is_paid, recipient, payments AS step
FROM payment_steps
WHERE payments <> 0
UNION ALL
SELECT
    joined.log_index, joined.program, COALESCE(opened.kind, 'group-grant') AS kind, FALSE AS is_paid, joined.recipient,
    1 AS step
FROM events AS joined
LEFT JOIN events AS opened ON opened.event = 'ProgramOpened' AND opened.program = joined.program
WHERE joined.event = 'GroupJoined'
UNION ALL
SELECT log_index, program, 'training' AS kind, FALSE AS is_paid, recipient, 1 AS step
FROM events
WHERE event = 'TrainingAttended'
UNION ALL
SELECT log_index, program, kind, FALSE AS is_paid, recipient, 1 AS step
FROM events
WHERE event = 'SupportReceived'
