-- A payment that came back is paid again on another officer's word than the one who recorded the return.
SELECT
    log_index,
    stream,
    CASE
        WHEN officer IS NULL THEN 'no officer named'
        WHEN officer = return_recorded_by THEN officer || ' recorded the return and paid again'
    END AS detail
FROM (
    SELECT
        log_index, stream, event, after, officer,
        LAG(recorded_by) OVER (PARTITION BY stream ORDER BY log_index) AS return_recorded_by
    FROM log
    WHERE event IN ('TrancheReturned', 'TrancheReissued')
) AS steps
WHERE event = 'TrancheReissued' AND after = 'return'
