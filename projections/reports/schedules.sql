-- One row a tranche of a program's schedule; amount is what one recipient gets, in minor units of the currency.
SELECT program, tranche, element_at(schedule, tranche) AS amount
FROM (
    SELECT program, schedule, explode(sequence(1, array_size(schedule))) AS tranche
    FROM (
        SELECT program, schedule, ROW_NUMBER() OVER (PARTITION BY program ORDER BY log_index DESC) AS newest
        FROM events
        WHERE event IN ('ProgramOpened', 'ProgramAmended')
    ) AS terms
    WHERE newest = 1 AND array_size(schedule) > 0
) AS numbered
