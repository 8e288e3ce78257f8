-- Every event lies in the stream that its own fields name.
SELECT
    log_index,
    stream,
    CASE WHEN expected IS NULL OR stream <> expected THEN COALESCE('belongs to ' || expected, 'belongs to no stream') END
        AS detail
FROM (
    SELECT
        log_index,
        stream,
        CASE {streams} END AS expected
    FROM log
) AS named
