-- The clock of the ledger never ran backwards by more than two minutes.
SELECT
    log_index,
    stream,
    CASE
        WHEN recorded_at < before - INTERVAL 120 SECOND
            THEN 'recorded at ' || CAST(recorded_at AS STRING) || ', the event before at ' || CAST(before AS STRING)
    END AS detail
FROM (SELECT log_index, stream, recorded_at, LAG(recorded_at) OVER (ORDER BY log_index) AS before FROM log) AS moments
