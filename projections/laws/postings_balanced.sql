-- The postings of every event sum to zero in each commodity.
SELECT
    log_index,
    stream,
    CASE
        WHEN known < 2 OR total <> 0
            THEN COALESCE('sums to ' || CAST(total AS STRING) || ' ' || commodity, 'moves an unknown quantity')
    END AS detail
FROM (
    SELECT
        log_index,
        stream,
        commodity,
        SUM(quantity) AS total,
        COUNT(CASE WHEN account IS NOT NULL AND quantity IS NOT NULL THEN 1 END) AS known
    FROM postings
    GROUP BY log_index, stream, commodity
) AS sums
