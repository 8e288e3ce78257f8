-- At every point of the log a program has no less than nothing available and nothing reserved, and a new budget names
-- the one before.
SELECT
    log_index,
    stream,
    CASE WHEN balance < 0 THEN account || ' at ' || CAST(balance AS STRING) END AS detail
FROM (
    SELECT
        log_index,
        stream,
        account,
        SUM(quantity) OVER (
            PARTITION BY account ORDER BY log_index ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS balance
    FROM postings
    WHERE account LIKE 'assets:available:%' OR account LIKE 'assets:reserved:%'
) AS running
UNION ALL
SELECT
    log_index,
    stream,
    CASE
        WHEN previous <> known OR previous IS NULL
            THEN 'names ' || COALESCE(CAST(previous AS STRING), 'nothing') || ' as the budget before, it was '
                || CAST(known AS STRING)
    END AS detail
FROM (
    SELECT
        log_index, stream, previous,
        COALESCE(LAG(budget) OVER (PARTITION BY program ORDER BY log_index), 0) AS known
    FROM log
    WHERE event = 'BudgetSet'
) AS budgets
