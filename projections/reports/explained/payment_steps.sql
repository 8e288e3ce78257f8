-- One row an event of a payment that changes one of these, and by how much. An event's change depends on no later event.
-- payments: 1 while the payment is disbursed. open_returns: 1 while its money is back. settled: its amount, in minor
-- units of the currency, while the bank's confirmation is the last that happened to it.
-- Nearly every payment is its disbursement and at most one confirmation: those need no order.
SELECT
    log_index, program, tranche, recipient,
    CASE WHEN amount > 0 THEN 1 ELSE 0 END AS payments, 0 AS open_returns, CAST(0 AS DECIMAL(38, 0)) AS settled
FROM events AS paid
WHERE event = 'TrancheDisbursed' AND NOT EXISTS (
    SELECT 1
    FROM events AS later
    WHERE (
        later.event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
        OR (later.event = 'TrancheSettled' AND later.version > 2)
    )
    AND later.recipient = paid.recipient AND later.tranche = paid.tranche AND later.program = paid.program
)
UNION ALL
SELECT
    settled.log_index, settled.program, settled.tranche, settled.recipient,
    0 AS payments, 0 AS open_returns, CAST(paid.amount AS DECIMAL(38, 0)) AS settled
FROM events AS settled
JOIN events AS paid
    ON paid.event = 'TrancheDisbursed' AND paid.recipient = settled.recipient AND paid.tranche = settled.tranche
    AND paid.program = settled.program
WHERE settled.event = 'TrancheSettled' AND NOT EXISTS (
    SELECT 1
    FROM events AS later
    WHERE (
        later.event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
        OR (later.event = 'TrancheSettled' AND later.version > 2)
    )
    AND later.recipient = settled.recipient AND later.tranche = settled.tranche AND later.program = settled.program
)
UNION ALL
SELECT
    log_index, program, tranche, recipient,
    CASE WHEN disbursed > 0 THEN 1 ELSE 0 END - CASE WHEN disbursed - paid > 0 THEN 1 ELSE 0 END AS payments,
    CASE WHEN returned > 0 THEN 1 ELSE 0 END - CASE WHEN returned - back > 0 THEN 1 ELSE 0 END AS open_returns,
    settled - COALESCE(LAG(settled) OVER (PARTITION BY program, tranche, recipient ORDER BY log_index), 0) AS settled
FROM (
    SELECT
        log_index, program, tranche, recipient, paid, back,
        SUM(paid) OVER (PARTITION BY program, tranche, recipient ORDER BY log_index) AS disbursed,
        SUM(back) OVER (PARTITION BY program, tranche, recipient ORDER BY log_index) AS returned,
        CASE
            WHEN MAX(CASE WHEN event = 'TrancheSettled' THEN version END)
                OVER (PARTITION BY program, tranche, recipient ORDER BY log_index)
                > MAX(CASE WHEN event <> 'TrancheSettled' THEN version END)
                OVER (PARTITION BY program, tranche, recipient ORDER BY log_index)
            THEN CAST(MAX(CASE WHEN event <> 'TrancheSettled' THEN amount END)
                OVER (PARTITION BY program, tranche, recipient ORDER BY log_index) AS DECIMAL(38, 0))
            ELSE CAST(0 AS DECIMAL(38, 0))
        END AS settled
    FROM (
        SELECT
            steps.log_index, steps.program, steps.tranche, steps.recipient, steps.event, steps.version, steps.amount,
            CASE
                WHEN steps.event = 'TrancheDisbursed' THEN steps.amount
                WHEN steps.event = 'TrancheReissued' AND steps.after = 'reversal' THEN steps.amount
                WHEN steps.event = 'TrancheReversed' THEN -steps.amount
                ELSE 0
            END AS paid,
            CASE
                WHEN steps.event = 'TrancheReturned' THEN steps.amount
                WHEN steps.event = 'TrancheReissued' AND steps.after = 'return' THEN -steps.amount
                WHEN steps.event = 'TrancheRefunded' THEN -steps.amount
                ELSE 0
            END AS back
        FROM events AS steps
        JOIN (
            SELECT DISTINCT program, tranche, recipient
            FROM events
            WHERE event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
                OR (event = 'TrancheSettled' AND version > 2)
        ) AS moved
            ON moved.recipient = steps.recipient AND moved.tranche = steps.tranche AND moved.program = steps.program
        WHERE steps.event IN (
            'TrancheDisbursed', 'TrancheSettled', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded',
            'TrancheReversed'
        )
    ) AS changes
) AS running
