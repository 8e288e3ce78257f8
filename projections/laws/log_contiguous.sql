-- The log is numbered 0, 1, 2, … without a gap.
SELECT
    log_index,
    stream,
    CASE WHEN log_index <> place THEN 'stands at place ' || CAST(place AS STRING) END AS detail
FROM (
    -- By blocks of 2^20 events, so that many workers number them at once: an event's place is that in its block, behind
    -- all earlier blocks.
    SELECT numbered.log_index, numbered.stream, numbered.place + COALESCE(earlier.events, 0) AS place
    FROM (
        SELECT
            log_index, stream, shiftright(log_index, 20) AS block,
            ROW_NUMBER() OVER (PARTITION BY shiftright(log_index, 20) ORDER BY log_index) - 1 AS place
        FROM log
    ) AS numbered
    LEFT JOIN (
        SELECT later.block, CAST(SUM(before.events) AS BIGINT) AS events
        FROM (SELECT DISTINCT shiftright(log_index, 20) AS block FROM log) AS later
        JOIN (
            SELECT shiftright(log_index, 20) AS block, COUNT(*) AS events FROM log GROUP BY shiftright(log_index, 20)
        ) AS before ON before.block < later.block
        GROUP BY later.block
    ) AS earlier ON earlier.block = numbered.block
) AS placed
