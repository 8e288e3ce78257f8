-- Every stream is numbered 1, 2, 3, … without a gap, in the order of the log.
SELECT
    log_index,
    stream,
    CASE
        WHEN version <> place
            THEN 'version ' || CAST(version AS STRING) || ' stands at place ' || CAST(place AS STRING)
    END AS detail
FROM (
    SELECT log_index, stream, version, ROW_NUMBER() OVER (PARTITION BY stream ORDER BY log_index) AS place
    FROM log
) AS placed
