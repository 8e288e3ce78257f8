-- One row a payment (one tranche to one recipient) in its present state; money in minor units of the currency.
-- disbursed: what left the program for good or is open (0 once reversed). returned: came back, neither paid again nor
-- refunded. reissued: paid again after a return or a reversal, each time it happened. refunded: given to the treasury.
-- settled: confirmed by the bank, and nothing came after.
SELECT
    moved.program, moved.tranche, moved.recipient_id, moved.amount, moved.batch_id,
    CASE WHEN settled.version > moved.last_version THEN 'settled' ELSE moved.state END AS state,
    moved.attempt, moved.disbursed, moved.returned, moved.reissued, moved.refunded,
    CASE WHEN settled.version > moved.last_version THEN moved.amount ELSE 0 END AS settled,
    moved.disbursed_on, moved.stream, moved.returned_version
FROM disbursements AS moved
LEFT JOIN (
    SELECT program, tranche, recipient, MAX(version) AS version
    FROM events
    WHERE event = 'TrancheSettled'
    GROUP BY program, tranche, recipient
) AS settled
    ON settled.recipient = moved.recipient AND settled.tranche = moved.tranche AND settled.program = moved.program
