-- One row an opened program; money in minor units of the currency.
-- budget = available + reserved + disbursed. disbursed: paid and granted, less what was reversed. returned: came back
-- from a bank, neither paid again nor refunded. refunded: given to the treasury. recipients: people with a payment.
-- groups: funded ones. people: helped in any way; each counted once a program. The figures in_all are those of the
-- program's whole branch, a person again counted once; all others are the program's own.
WITH reached AS (
    SELECT program, block, is_paid, BIT_OR(people) AS people FROM helped GROUP BY program, block, is_paid
),
own AS (
    SELECT
        opened.program,
        opened.parent,
        terms.name,
        opened.kind,
        COALESCE(money.budget, 0) AS budget,
        terms.ceiling,
        COALESCE(money.reserved, 0) AS reserved,
        COALESCE(money.disbursed, 0) AS disbursed,
        COALESCE(money.returned, 0) AS returned,
        COALESCE(money.refunded, 0) AS refunded,
        COALESCE(paid.recipients, 0) AS recipients,
        COALESCE(money.funded_groups, 0) AS groups,
        COALESCE(helped_people.people, 0) AS people,
        COALESCE(money.available, 0) AS available,
        opened.fiscal_year,
        COALESCE(money.is_closed, FALSE) AS is_closed
    FROM events AS opened
    JOIN (
        SELECT program, name, ceiling, ROW_NUMBER() OVER (PARTITION BY program ORDER BY log_index DESC) AS newest
        FROM events
        WHERE event IN ('ProgramOpened', 'ProgramAmended')
    ) AS terms ON terms.program = opened.program AND terms.newest = 1
    LEFT JOIN (
        SELECT
            program,
            SUM(budgeted) AS budget,
            SUM(CASE
                WHEN event = 'BudgetSet' THEN budgeted
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
            CAST(SUM(CASE WHEN event = 'GroupFunded' THEN events END) AS BIGINT) AS funded_groups,
            MAX(event = 'ProgramClosed') AS is_closed
        FROM (
            SELECT
                program, event, after,
                COUNT(*) AS events, SUM(amount) AS amount, SUM(budget - previous) AS budgeted
            FROM events
            WHERE program IS NOT NULL
            GROUP BY program, event, after
        ) AS sums
        GROUP BY program
    ) AS money ON money.program = opened.program
    LEFT JOIN (
        SELECT program, CAST(SUM(BIT_COUNT(people)) AS BIGINT) AS recipients
        FROM reached
        WHERE is_paid
        GROUP BY program
    ) AS paid ON paid.program = opened.program
    LEFT JOIN (
        SELECT program, CAST(SUM(BIT_COUNT(people)) AS BIGINT) AS people
        FROM (SELECT program, block, BIT_OR(people) AS people FROM reached GROUP BY program, block) AS sets
        GROUP BY program
    ) AS helped_people ON helped_people.program = opened.program
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
    SELECT program, CAST(SUM(BIT_COUNT(people)) AS BIGINT) AS people
    FROM (
        SELECT branches.program, reached.block, BIT_OR(reached.people) AS people
        FROM branches
        JOIN reached ON reached.program = branches.member
        WHERE branches.program IN (SELECT parent FROM own)
        GROUP BY branches.program, reached.block
    ) AS sets
    GROUP BY program
) AS below ON below.program = own.program
ORDER BY own.program NULLS LAST
