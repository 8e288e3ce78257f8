-- A payment is paid again on another officer's word than the one who recorded its return or, once two officers have
-- adopted the rules, its reversal.
SELECT
    log_index,
    stream,
    CASE
        WHEN officer IS NULL THEN 'no officer named'
        WHEN after = 'return' AND officer = return_recorded_by THEN officer || ' recorded the return and paid again'
        WHEN after = 'reversal' AND officer = reversed_by THEN officer || ' reversed the payment and paid again'
    END AS detail
FROM (
    SELECT
        steps.log_index, steps.stream, steps.event, steps.after, steps.officer,
        LAG(steps.recorded_by) OVER (PARTITION BY steps.stream ORDER BY steps.log_index) AS return_recorded_by,
        LAG(steps.officer) OVER (PARTITION BY steps.stream ORDER BY steps.log_index) AS reversed_by
    FROM log AS steps
    WHERE steps.event IN ('TrancheReturned', 'TrancheReversed', 'TrancheReissued')
) AS paid_again
CROSS JOIN (
    SELECT COALESCE(MIN(log_index), 9223372036854775807) AS adopted_at FROM log WHERE event = 'RulesAdopted'
) AS rules
WHERE event = 'TrancheReissued' AND (after = 'return' OR log_index > adopted_at)
