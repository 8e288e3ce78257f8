-- A tranche reaches a recipient once: a payment begins with its one disbursement, and each later step of it follows from
-- the one before and concerns the same amount.
SELECT
    log_index,
    stream,
    CASE
        WHEN event = 'TrancheDisbursed' AND place > 1 THEN 'paid again'
        WHEN event = 'TrancheDisbursed' AND version <> 1 THEN 'paid as version ' || CAST(version AS STRING)
        WHEN event <> 'TrancheDisbursed' AND place = 1 THEN event || ' without a payment'
        WHEN amount IS NULL OR amount <> first_amount
            THEN event || ' of ' || COALESCE(CAST(amount AS STRING), 'nothing') || ', paid '
                || COALESCE(CAST(first_amount AS STRING), 'nothing')
        WHEN event IN ('TrancheSettled', 'TrancheReversed') AND before NOT IN ('TrancheDisbursed', 'TrancheReissued')
            OR event = 'TrancheReturned' AND before NOT IN ('TrancheDisbursed', 'TrancheReissued', 'TrancheSettled')
            OR event = 'TrancheRefunded' AND before <> 'TrancheReturned'
            OR event = 'TrancheReissued' AND after = 'return' AND before <> 'TrancheReturned'
            OR event = 'TrancheReissued' AND after = 'reversal' AND before <> 'TrancheReversed'
            THEN event || ' follows ' || before
    END AS detail
FROM (
    SELECT
        log_index, stream, version, event, amount, after,
        ROW_NUMBER() OVER (PARTITION BY stream ORDER BY log_index) AS place,
        LAG(event) OVER (PARTITION BY stream ORDER BY log_index) AS before,
        FIRST_VALUE(amount) OVER (PARTITION BY stream ORDER BY log_index) AS first_amount
    FROM log
    WHERE event IN (
        'TrancheDisbursed', 'TrancheSettled', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed'
    )
) AS steps
