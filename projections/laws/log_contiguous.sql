-- The log is numbered 0, 1, 2, … without a gap.
SELECT
    log_index,
    stream,
    CASE WHEN log_index <> place THEN 'stands at place ' || CAST(place AS STRING) END AS detail
FROM (SELECT log_index, stream, ROW_NUMBER() OVER (ORDER BY log_index) - 1 AS place FROM log) AS placed
