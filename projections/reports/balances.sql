-- One row a recipient and program with a payment; money in minor units of the currency.
-- entitled: all tranches of the schedule. returned: came back and still open.
-- outstanding = entitled - disbursed + returned, what the recipient has yet to get.
SELECT
    -- Nine digits with zeros in front; LPAD takes twice the time.
    'R' || SUBSTR(CAST(1000000000 + paid.recipient AS STRING), 2) AS recipient_id,
    paid.program,
    COALESCE(terms.entitled, 0) AS entitled,
    paid.disbursed,
    paid.returned,
    COALESCE(terms.entitled, 0) - paid.disbursed + paid.returned AS outstanding,
    paid.refunded
FROM (
    -- By the recipient's number, which is grouped and ordered several times faster than the id made of it. Out of the
    -- events, for here it does not matter which payment of the program a step belongs to.
    SELECT
        recipient,
        program,
        SUM(disbursed) AS disbursed,
        SUM(returned) AS returned,
        SUM(refunded) AS refunded
    FROM (
        SELECT
            recipient, program, amount AS disbursed,
            CAST(0 AS DECIMAL(18, 0)) AS returned, CAST(0 AS DECIMAL(18, 0)) AS refunded
        FROM events
        WHERE event = 'TrancheDisbursed'
        UNION ALL
        SELECT
            recipient, program,
            CASE
                WHEN event = 'TrancheReissued' AND after = 'reversal' THEN amount
                WHEN event = 'TrancheReversed' THEN -amount
                ELSE 0
            END AS disbursed,
            CASE
                WHEN event = 'TrancheReturned' THEN amount
                WHEN event = 'TrancheReissued' AND after = 'return' THEN -amount
                WHEN event = 'TrancheRefunded' THEN -amount
                ELSE 0
            END AS returned,
            CASE WHEN event = 'TrancheRefunded' THEN amount ELSE 0 END AS refunded
        FROM events
        WHERE event IN ('TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed')
    ) AS steps
    GROUP BY recipient, program
) AS paid
LEFT JOIN (
    SELECT program, SUM(amount) AS entitled FROM schedules GROUP BY program
) AS terms ON terms.program = paid.program
ORDER BY paid.recipient NULLS LAST, paid.program NULLS LAST
