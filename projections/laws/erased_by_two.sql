-- Nobody is erased but on the word of two different officers, a maker and a checker in office, and only once.
SELECT
    erased.log_index,
    erased.stream,
    CASE
        WHEN erased.place > 1 THEN erased.recipient_id || ' was erased before'
        WHEN asked.event IS NULL OR asked.event <> 'ErasureRequested'
            THEN 'no erasure of ' || erased.recipient_id || ' waited for a decision'
        WHEN asked.maker = erased.checker THEN asked.maker || ' asked for and approved the erasure'
        WHEN maker.officer_id IS NULL THEN asked.maker || ' was no maker in office'
        WHEN checker.officer_id IS NULL THEN erased.checker || ' was no checker in office'
    END AS detail
FROM (
    SELECT
        log_index, stream, recipient_id, checker,
        ROW_NUMBER() OVER (PARTITION BY recipient_id ORDER BY log_index) AS place
    FROM log
    WHERE event = 'RecipientErased'
) AS erased
LEFT JOIN (
    SELECT
        log_index, event, maker, recipient_id,
        LEAD(log_index) OVER (PARTITION BY recipient_id ORDER BY log_index) AS next_index
    FROM log
    WHERE event IN ('ErasureRequested', 'ErasureRejected', 'RecipientErased')
) AS asked ON asked.recipient_id = erased.recipient_id AND asked.next_index = erased.log_index
LEFT JOIN offices AS maker
    ON maker.officer_id = asked.maker AND maker.role = 'maker' AND maker.since < asked.log_index
    AND (maker.until IS NULL OR maker.until > asked.log_index)
LEFT JOIN offices AS checker
    ON checker.officer_id = erased.checker AND checker.role = 'checker' AND checker.since < erased.log_index
    AND (checker.until IS NULL OR checker.until > erased.log_index)
