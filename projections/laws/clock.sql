-- The clock of the ledger never ran backwards by more than two minutes.
SELECT
    log_index,
    stream,
    CASE
        WHEN recorded_at < before - INTERVAL 120 SECOND
            THEN 'recorded at ' || CAST(recorded_at AS STRING) || ', the event before at ' || CAST(before AS STRING)
    END AS detail
FROM (
    -- By blocks of 2^20 events, so that many workers compare them at once: before a block's first event stands the
    -- last one of an earlier block.
    SELECT moments.log_index, moments.stream, moments.recorded_at, COALESCE(moments.before, earlier.before) AS before
    FROM (
        SELECT
            log_index, stream, recorded_at, shiftright(log_index, 20) AS block,
            LAG(recorded_at) OVER (PARTITION BY shiftright(log_index, 20) ORDER BY log_index) AS before
        FROM log
    ) AS moments
    LEFT JOIN (
        SELECT later.block, MAX_BY(ends.recorded_at, ends.block) AS before
        FROM (SELECT DISTINCT shiftright(log_index, 20) AS block FROM log) AS later
        JOIN (
            SELECT shiftright(log_index, 20) AS block, MAX_BY(recorded_at, log_index) AS recorded_at
            FROM log
            GROUP BY shiftright(log_index, 20)
        ) AS ends ON ends.block < later.block
        GROUP BY later.block
    ) AS earlier ON earlier.block = moments.block
) AS compared
