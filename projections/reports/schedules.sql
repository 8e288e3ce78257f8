-- One row a tranche of a program's schedule; amount is what one recipient gets, in minor units of the currency.
SELECT program, tranche, element_at(schedule, tranche) AS amount
FROM (
    SELECT program, schedule, explode(sequence(1, array_size(schedule))) AS tranche
    FROM events
    WHERE event = 'ProgramOpened' AND array_size(schedule) > 0
) AS numbered
