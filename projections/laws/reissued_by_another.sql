-- A payment is paid again on another officer's word than the one who recorded its return. One that officers agreed to in
-- a batch has their words.
SELECT
    log_index,
    stream,
    CASE
        WHEN officer IS NULL THEN 'no officer named'
        WHEN agreement IS NULL AND officer = return_recorded_by THEN officer || ' recorded the return and paid again'
    END AS detail
FROM (
    SELECT
        steps.log_index, steps.stream, steps.event, steps.after, steps.officer, steps.agreement,
        LAG(steps.recorded_by) OVER (PARTITION BY steps.stream ORDER BY steps.log_index) AS return_recorded_by
    FROM log AS steps
    WHERE steps.event IN ('TrancheReturned', 'TrancheReissued')
) AS paid_again
WHERE event = 'TrancheReissued' AND after = 'return'
