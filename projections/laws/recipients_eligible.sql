-- Every payment goes to a person registered before, of a category that the program is for.
SELECT
    paid.log_index,
    paid.stream,
    CASE
        WHEN person.recipient_id IS NULL THEN paid.recipient_id || ' was not registered before'
        WHEN opened.program IS NULL THEN 'the program was not opened before'
        WHEN array_size(opened.categories) > 0 AND NOT array_contains(opened.categories, person.category)
            THEN 'category ' || person.category || ' is not among those of the program'
    END AS detail
FROM log AS paid
LEFT JOIN log AS person
    ON person.event = 'RecipientRegistered' AND person.recipient_id = paid.recipient_id
    AND person.log_index < paid.log_index
LEFT JOIN (
    SELECT
        program, categories, log_index, LEAD(log_index) OVER (PARTITION BY program ORDER BY log_index) AS until
    FROM log
    WHERE event IN ('ProgramOpened', 'ProgramAmended')
) AS opened
    ON opened.program = paid.program AND opened.log_index < paid.log_index
    AND (opened.until IS NULL OR opened.until > paid.log_index)
WHERE paid.event IN ({needs_eligible})
