-- One row a payment (one tranche to one recipient) in its present state; money in minor units of the currency.
-- disbursed: what left the program for good or is open (0 once reversed). returned: came back, neither paid again nor
-- refunded. reissued: paid again after a return or a reversal, each time it happened. refunded: given to the treasury.
SELECT
    program, tranche, recipient_id, amount, batch_id,
    CASE last_version
        WHEN settled_version THEN 'settled'
        WHEN returned_version THEN 'returned'
        WHEN reissued_version THEN 'reissued'
        WHEN refunded_version THEN 'refunded'
        WHEN reversed_version THEN 'reversed'
        ELSE 'disbursed'
    END AS state,
    attempt, disbursed, returned, reissued, refunded,
    CASE WHEN last_version = settled_version THEN amount ELSE 0 END AS settled,
    disbursed_on, stream, returned_version
FROM (
    SELECT
        stream, program, tranche, recipient_id,
        MAX(amount) AS amount,
        MAX(batch_id) AS batch_id,
        COALESCE(MAX(CASE WHEN event = 'TrancheReissued' THEN attempt END), 1) AS attempt,
        MAX(version) AS last_version,
        MAX(CASE WHEN event = 'TrancheSettled' THEN version END) AS settled_version,
        MAX(CASE WHEN event = 'TrancheReturned' THEN version END) AS returned_version,
        MAX(CASE WHEN event = 'TrancheReissued' THEN version END) AS reissued_version,
        MAX(CASE WHEN event = 'TrancheRefunded' THEN version END) AS refunded_version,
        MAX(CASE WHEN event = 'TrancheReversed' THEN version END) AS reversed_version,
        COALESCE(SUM(CASE
            WHEN event = 'TrancheDisbursed' THEN amount
            WHEN event = 'TrancheReissued' AND after = 'reversal' THEN amount
            WHEN event = 'TrancheReversed' THEN -amount
        END), 0) AS disbursed,
        COALESCE(SUM(CASE
            WHEN event = 'TrancheReturned' THEN amount
            WHEN event = 'TrancheReissued' AND after = 'return' THEN -amount
            WHEN event = 'TrancheRefunded' THEN -amount
        END), 0) AS returned,
        COALESCE(SUM(CASE WHEN event = 'TrancheReissued' THEN amount END), 0) AS reissued,
        COALESCE(SUM(CASE WHEN event = 'TrancheRefunded' THEN amount END), 0) AS refunded,
        MIN(CASE WHEN event = 'TrancheDisbursed' THEN effective_on END) AS disbursed_on
    FROM events
    WHERE event IN (
        'TrancheDisbursed', 'TrancheSettled', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed'
    )
    GROUP BY stream, program, tranche, recipient_id
) AS steps
