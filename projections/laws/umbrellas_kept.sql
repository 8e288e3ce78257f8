-- Once the rules are adopted, the budgets under an umbrella that has one never add up to more than its own.
SELECT
    sums.log_index,
    sums.stream,
    CASE
        WHEN sums.total > sums.own
            THEN 'the budgets under ' || sums.umbrella || ' add up to ' || CAST(sums.total AS STRING) || ', its own is '
                || CAST(sums.own AS STRING)
    END AS detail
FROM (
    SELECT
        latest.log_index, latest.stream, latest.umbrella,
        SUM(CASE WHEN latest.member <> latest.umbrella THEN latest.budget ELSE 0 END) AS total,
        SUM(CASE WHEN latest.member = latest.umbrella THEN latest.budget ELSE 0 END) AS own
    FROM (
        SELECT
            moved.log_index, moved.stream, umbrella.program AS umbrella, member.program AS member,
            MAX_BY(known.budget, known.log_index) AS budget
        FROM log AS moved
        JOIN (SELECT MIN(log_index) AS log_index FROM log WHERE event = 'RulesAdopted') AS adopted
            ON adopted.log_index < moved.log_index
        JOIN log AS opened ON opened.event = 'ProgramOpened' AND opened.program = moved.program
        JOIN log AS umbrella
            ON umbrella.event = 'ProgramOpened' AND umbrella.kind = 'umbrella'
            AND (umbrella.program = opened.parent OR umbrella.program = moved.program)
        JOIN log AS member
            ON member.event = 'ProgramOpened'
            AND (member.parent = umbrella.program OR member.program = umbrella.program)
        JOIN log AS known
            ON known.event = 'BudgetSet' AND known.program = member.program AND known.log_index <= moved.log_index
        WHERE moved.event = 'BudgetSet'
        GROUP BY moved.log_index, moved.stream, umbrella.program, member.program
    ) AS latest
    GROUP BY latest.log_index, latest.stream, latest.umbrella
) AS sums
WHERE sums.own > 0
