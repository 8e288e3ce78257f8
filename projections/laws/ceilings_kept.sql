-- No payment is over its tranche, and no recipient and no group gets more from a program than its ceiling.
SELECT
    paid.log_index,
    paid.stream,
    CASE
        WHEN schedules.amount IS NULL THEN 'the program has no such tranche'
        WHEN paid.amount > schedules.amount
            THEN CAST(paid.amount AS STRING) || ' paid, the tranche is ' || CAST(schedules.amount AS STRING)
        WHEN paid.received > opened.ceiling
            THEN CAST(paid.received AS STRING) || ' in all, the ceiling is ' || CAST(opened.ceiling AS STRING)
    END AS detail
FROM (
    SELECT
        log_index, stream, event, program, tranche, amount,
        SUM(CASE WHEN event = 'TrancheReversed' THEN -amount ELSE amount END) OVER (
            PARTITION BY program, recipient_id ORDER BY log_index
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS received
    FROM log
    WHERE event IN ('TrancheDisbursed', 'TrancheReversed') OR event = 'TrancheReissued' AND after = 'reversal'
) AS paid
LEFT JOIN log AS opened ON opened.event = 'ProgramOpened' AND opened.program = paid.program
LEFT JOIN schedules ON schedules.program = paid.program AND schedules.tranche = paid.tranche
WHERE paid.event <> 'TrancheReversed'
UNION ALL
SELECT
    funded.log_index,
    funded.stream,
    CASE
        WHEN opened.program IS NULL THEN 'the program was never opened'
        WHEN funded.amount > opened.ceiling
            THEN CAST(funded.amount AS STRING) || ' granted, the ceiling is ' || CAST(opened.ceiling AS STRING)
    END AS detail
FROM log AS funded
LEFT JOIN log AS opened ON opened.event = 'ProgramOpened' AND opened.program = funded.program
WHERE funded.event = 'GroupFunded'
