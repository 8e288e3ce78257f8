-- One row an event and figure of a program that it changes by itself, in minor units of the currency; groups: funded ones.
SELECT log_index, program, 'budget' AS figure, budget - previous AS value
FROM events
WHERE event = 'BudgetSet'
UNION ALL
SELECT
    log_index, program, 'available' AS figure,
    CASE event
        WHEN 'BudgetSet' THEN budget - previous
        WHEN 'FundsReserved' THEN -amount
        ELSE amount
    END AS value
FROM events
WHERE event IN ('BudgetSet', 'FundsReserved', 'FundsReleased', 'FundsRecovered')
UNION ALL
SELECT
    log_index, program, 'reserved' AS figure,
    CASE WHEN event IN ('FundsReserved', 'TrancheReversed') THEN amount ELSE -amount END AS value
FROM events
WHERE event IN (
    'FundsReserved', 'FundsReleased', 'FundsRecovered', 'TrancheDisbursed', 'TrancheReversed', 'GroupFunded'
) OR (event = 'TrancheReissued' AND after = 'reversal')
UNION ALL
SELECT
    log_index, program, 'disbursed' AS figure, CASE WHEN event = 'TrancheReversed' THEN -amount ELSE amount END AS value
FROM events
WHERE event IN ('TrancheDisbursed', 'TrancheReversed', 'GroupFunded')
    OR (event = 'TrancheReissued' AND after = 'reversal')
UNION ALL
SELECT
    log_index, program, 'returned' AS figure, CASE WHEN event = 'TrancheReturned' THEN amount ELSE -amount END AS value
FROM events
WHERE event IN ('TrancheReturned', 'TrancheRefunded') OR (event = 'TrancheReissued' AND after = 'return')
UNION ALL
SELECT log_index, program, 'refunded' AS figure, amount AS value
FROM events
WHERE event = 'TrancheRefunded'
UNION ALL
SELECT log_index, program, 'groups' AS figure, 1 AS value
FROM events
WHERE event = 'GroupFunded'
