-- No payment is over its tranche, and no recipient and no group gets more from a program than its ceiling, by the terms of
-- that moment.
WITH terms AS (
    SELECT
        program, ceiling, schedule, log_index,
        LEAD(log_index) OVER (PARTITION BY program ORDER BY log_index) AS until,
        ROW_NUMBER() OVER (PARTITION BY program ORDER BY log_index) AS place
    FROM log
    WHERE event IN ('ProgramOpened', 'ProgramAmended')
)
SELECT
    paid.log_index,
    paid.stream,
    CASE
        WHEN scheduled.amount IS NULL THEN 'the program has no such tranche'
        WHEN paid.amount > scheduled.amount
            THEN CAST(paid.amount AS STRING) || ' paid, the tranche is ' || CAST(scheduled.amount AS STRING)
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
LEFT JOIN terms AS opened
    ON opened.program = paid.program AND (opened.place = 1 OR opened.log_index < paid.log_index)
    AND (opened.until IS NULL OR opened.until > paid.log_index)
LEFT JOIN (
    SELECT program, place, tranche, element_at(schedule, tranche) AS amount
    FROM (
        SELECT program, place, schedule, explode(sequence(1, array_size(schedule))) AS tranche
        FROM terms
        WHERE array_size(schedule) > 0
    ) AS numbered
) AS scheduled
    ON scheduled.program = paid.program AND scheduled.place = opened.place AND scheduled.tranche = paid.tranche
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
LEFT JOIN terms AS opened
    ON opened.program = funded.program AND (opened.place = 1 OR opened.log_index < funded.log_index)
    AND (opened.until IS NULL OR opened.until > funded.log_index)
WHERE funded.event = 'GroupFunded'
