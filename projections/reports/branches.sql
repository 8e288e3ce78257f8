-- One row a program and each program of its branch: itself, those below it, those below these.
-- Eight levels, which is as deep as programs are opened.
WITH opened AS (
    SELECT program, parent FROM events WHERE event = 'ProgramOpened'
),
numbered AS (
    SELECT explode(sequence(1, 8)) AS level
)
SELECT DISTINCT lines.program, lines.member
FROM (
    SELECT
        CASE numbered.level
            WHEN 1 THEN one.program
            WHEN 2 THEN two.program
            WHEN 3 THEN three.program
            WHEN 4 THEN four.program
            WHEN 5 THEN five.program
            WHEN 6 THEN six.program
            WHEN 7 THEN seven.program
            WHEN 8 THEN eight.program
        END AS program,
        one.program AS member
    FROM opened AS one
    LEFT JOIN opened AS two ON two.program = one.parent
    LEFT JOIN opened AS three ON three.program = two.parent
    LEFT JOIN opened AS four ON four.program = three.parent
    LEFT JOIN opened AS five ON five.program = four.parent
    LEFT JOIN opened AS six ON six.program = five.parent
    LEFT JOIN opened AS seven ON seven.program = six.parent
    LEFT JOIN opened AS eight ON eight.program = seven.parent
    CROSS JOIN numbered
) AS lines
WHERE lines.program IS NOT NULL
