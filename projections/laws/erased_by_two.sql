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
LEFT JOIN (
    SELECT enrolled.officer_id, enrolled.roles, enrolled.log_index, revoked.log_index AS revoked_index
    FROM log AS enrolled
    LEFT JOIN log AS revoked ON revoked.event = 'OfficerRevoked' AND revoked.officer_id = enrolled.officer_id
    WHERE enrolled.event = 'OfficerEnrolled'
) AS maker
    ON maker.officer_id = asked.maker AND array_contains(maker.roles, 'maker')
    AND maker.log_index < asked.log_index
    AND (maker.revoked_index IS NULL OR maker.revoked_index > asked.log_index)
LEFT JOIN (
    SELECT enrolled.officer_id, enrolled.roles, enrolled.log_index, revoked.log_index AS revoked_index
    FROM log AS enrolled
    LEFT JOIN log AS revoked ON revoked.event = 'OfficerRevoked' AND revoked.officer_id = enrolled.officer_id
    WHERE enrolled.event = 'OfficerEnrolled'
) AS checker
    ON checker.officer_id = erased.checker AND array_contains(checker.roles, 'checker')
    AND checker.log_index < erased.log_index
    AND (checker.revoked_index IS NULL OR checker.revoked_index > erased.log_index)
