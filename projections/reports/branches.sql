-- One row a program and each program of its branch: itself, those below it, those below these.
WITH RECURSIVE branch AS (
    SELECT program, program AS member FROM events WHERE event = 'ProgramOpened'
    UNION ALL
    SELECT branch.program, opened.program AS member
    FROM branch
    JOIN events AS opened ON opened.event = 'ProgramOpened' AND opened.parent = branch.member
)
SELECT program, member FROM branch
