-- One row an opened program; money in minor units of the currency.
-- budget = available + reserved + disbursed. disbursed: paid and granted, less what was reversed. returned: came back
-- from a bank, neither paid again nor refunded. refunded: given to the treasury. recipients: people with a payment.
-- groups: funded ones. people: helped in any way; each counted once a program. The figures in_all are those of the
-- program's whole branch, a person again counted once; all others are the program's own.
WITH own AS (
    SELECT
        opened.program,
        opened.parent,
        opened.name,
        opened.kind,
        COALESCE(money.budget, 0) AS budget,
        opened.ceiling,
        COALESCE(money.reserved, 0) AS reserved,
        COALESCE(money.disbursed, 0) AS disbursed,
        COALESCE(money.returned, 0) AS returned,
        COALESCE(money.refunded, 0) AS refunded,
        COALESCE(paid.recipients, 0) AS recipients,
        COALESCE(money.funded_groups, 0) AS groups,
        COALESCE(reached.people, 0) AS people,
        COALESCE(money.available, 0) AS available,
        opened.fiscal_year,
        COALESCE(money.is_closed, FALSE) AS is_closed
    FROM events AS opened
    LEFT JOIN (
        SELECT
            program,
            SUM(CASE WHEN event = 'BudgetSet' THEN budget - previous END) AS budget,
            SUM(CASE
                WHEN event = 'BudgetSet' THEN budget - previous
                WHEN event IN ('FundsReleased', 'FundsRecovered') THEN amount
                WHEN event = 'FundsReserved' THEN -amount
            END) AS available,
            SUM(CASE
                WHEN event IN ('FundsReserved', 'TrancheReversed') THEN amount
                WHEN event IN ('FundsReleased', 'FundsRecovered', 'TrancheDisbursed', 'GroupFunded') THEN -amount
                WHEN event = 'TrancheReissued' AND after = 'reversal' THEN -amount
            END) AS reserved,
            SUM(CASE
                WHEN event IN ('TrancheDisbursed', 'GroupFunded') THEN amount
                WHEN event = 'TrancheReissued' AND after = 'reversal' THEN amount
                WHEN event = 'TrancheReversed' THEN -amount
            END) AS disbursed,
            SUM(CASE
                WHEN event = 'TrancheReturned' THEN amount
                WHEN event = 'TrancheReissued' AND after = 'return' THEN -amount
                WHEN event = 'TrancheRefunded' THEN -amount
            END) AS returned,
            SUM(CASE WHEN event = 'TrancheRefunded' THEN amount END) AS refunded,
            COUNT(CASE WHEN event = 'GroupFunded' THEN 1 END) AS funded_groups,
            MAX(event = 'ProgramClosed') AS is_closed
        FROM events
        GROUP BY program
    ) AS money ON money.program = opened.program
    LEFT JOIN (
        SELECT program, COUNT(DISTINCT recipient_id) AS recipients FROM payments WHERE disbursed > 0 GROUP BY program
    ) AS paid ON paid.program = opened.program
    LEFT JOIN (
        SELECT program, COUNT(DISTINCT recipient_id) AS people FROM helped GROUP BY program
    ) AS reached ON reached.program = opened.program
    WHERE opened.event = 'ProgramOpened'
)
SELECT
    own.*,
    summed.disbursed AS disbursed_in_all,
    summed.groups AS groups_in_all,
    COALESCE(below.people, own.people) AS people_in_all
FROM own
JOIN (
    SELECT branches.program, SUM(own.disbursed) AS disbursed, CAST(SUM(own.groups) AS BIGINT) AS groups
    FROM branches
    JOIN own ON own.program = branches.member
    GROUP BY branches.program
) AS summed ON summed.program = own.program
LEFT JOIN (
    SELECT branches.program, COUNT(DISTINCT helped.recipient_id) AS people
    FROM branches
    JOIN helped ON helped.program = branches.member
    WHERE branches.program IN (SELECT parent FROM own)
    GROUP BY branches.program
) AS below ON below.program = own.program
ORDER BY own.program
