-- One row a payment (one tranche to one recipient) and what became of its money, in minor units of the currency.
-- disbursed: what left the program for good or is open (0 once reversed). returned: came back, neither paid again nor
-- refunded. reissued: paid again after a return or a reversal, each time it happened. refunded: given to the treasury.
-- state: the last step, but for the bank's confirmation, which moves no money.
-- Nearly every payment is its disbursement, and no step after it moved money: those need no grouping.
SELECT
    paid.program, paid.tranche, paid.recipient_id, paid.recipient, paid.stream, paid.amount, paid.batch_id,
    paid.effective_on AS disbursed_on, 'disbursed' AS state, 1 AS attempt, paid.amount AS disbursed,
    CAST(0 AS DECIMAL(18, 0)) AS returned, CAST(0 AS DECIMAL(18, 0)) AS reissued, CAST(0 AS DECIMAL(18, 0)) AS refunded, CAST(NULL AS INT) AS returned_version, paid.version AS last_version
FROM events AS paid
LEFT JOIN (
    SELECT DISTINCT program, tranche, recipient, TRUE AS is_moved
    FROM events
    WHERE event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
) AS later
    ON later.recipient = paid.recipient AND later.tranche = paid.tranche AND later.program = paid.program
WHERE paid.event = 'TrancheDisbursed' AND later.is_moved IS NULL
UNION ALL
SELECT
    program, tranche, recipient_id, recipient, stream, amount, batch_id, disbursed_on,
    CASE last_version
        WHEN returned_version THEN 'returned'
        WHEN reissued_version THEN 'reissued'
        WHEN refunded_version THEN 'refunded'
        WHEN reversed_version THEN 'reversed'
        ELSE 'disbursed'
    END AS state,
    attempt, disbursed, returned, reissued, refunded, returned_version, last_version
FROM (
    SELECT
        stream, program, tranche, recipient_id, recipient,
        MAX(amount) AS amount,
        MAX(CASE WHEN event = 'TrancheDisbursed' THEN batch_id END) AS batch_id,
        MIN(CASE WHEN event = 'TrancheDisbursed' THEN effective_on END) AS disbursed_on,
        COALESCE(MAX(CASE WHEN event = 'TrancheReissued' THEN attempt END), 1) AS attempt,
        MAX(version) AS last_version,
        MAX(CASE WHEN event = 'TrancheReturned' THEN version END) AS returned_version,
        MAX(CASE WHEN event = 'TrancheReissued' THEN version END) AS reissued_version,
        MAX(CASE WHEN event = 'TrancheRefunded' THEN version END) AS refunded_version,
        MAX(CASE WHEN event = 'TrancheReversed' THEN version END) AS reversed_version,
        -- Of one payment: 99 attempts of less than 2^53 each at most.
        CAST(SUM(CASE
            WHEN event = 'TrancheDisbursed' THEN amount
            WHEN event = 'TrancheReissued' AND after = 'reversal' THEN amount
            WHEN event = 'TrancheReversed' THEN -amount
            ELSE 0
        END) AS DECIMAL(18, 0)) AS disbursed,
        CAST(SUM(CASE
            WHEN event = 'TrancheReturned' THEN amount
            WHEN event = 'TrancheReissued' AND after = 'return' THEN -amount
            WHEN event = 'TrancheRefunded' THEN -amount
            ELSE 0
        END) AS DECIMAL(18, 0)) AS returned,
        CAST(SUM(CASE WHEN event = 'TrancheReissued' THEN amount ELSE 0 END) AS DECIMAL(18, 0)) AS reissued,
        CAST(SUM(CASE WHEN event = 'TrancheRefunded' THEN amount ELSE 0 END) AS DECIMAL(18, 0)) AS refunded
    FROM (
        SELECT * FROM events
        WHERE event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
        UNION ALL
        SELECT paid.*
        FROM events AS paid
        JOIN (
            SELECT DISTINCT program, tranche, recipient
            FROM events
            WHERE event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
        ) AS later
            ON later.recipient = paid.recipient AND later.tranche = paid.tranche AND later.program = paid.program
        WHERE paid.event = 'TrancheDisbursed'
    ) AS steps
    GROUP BY stream, program, tranche, recipient_id, recipient
) AS followed
