-- Nothing is reserved, paid or granted in a program after it was closed; what had come back may still be paid again.
SELECT
    moved.log_index,
    moved.stream,
    CASE WHEN closed.log_index < moved.log_index THEN moved.event || ' after the program was closed' END AS detail
FROM log AS moved
LEFT JOIN (
    SELECT program, MIN(log_index) AS log_index FROM log WHERE event = 'ProgramClosed' GROUP BY program
) AS closed ON closed.program = moved.program
WHERE moved.event IN ({needs_open})
    OR moved.event = 'TrancheReissued' AND moved.after = 'reversal'
