-- Every payment lies in a batch that two different officers, a maker and a checker in office, agreed on before.
SELECT
    paid.log_index,
    paid.stream,
    CASE
        WHEN batch.batch_id IS NULL THEN 'no batch ' || COALESCE(paid.batch_id, '(none)') || ' was proposed'
        WHEN batch.program <> paid.program OR batch.tranche IS NULL OR batch.tranche <> paid.tranche
            THEN 'batch ' || paid.batch_id || ' is for another program or tranche'
        WHEN batch.approved_index IS NULL OR batch.approved_index > paid.log_index
            THEN 'batch ' || paid.batch_id || ' was not approved before'
        WHEN batch.maker = batch.checker THEN batch.maker || ' proposed and approved batch ' || paid.batch_id
        WHEN NOT batch.maker_in_office THEN batch.maker || ' was no maker in office at batch ' || paid.batch_id
        WHEN NOT batch.checker_in_office THEN batch.checker || ' was no checker in office at batch ' || paid.batch_id
        WHEN batch.cancelled_index < paid.log_index THEN 'batch ' || paid.batch_id || ' was called off before'
        WHEN batch.is_rejected THEN 'batch ' || paid.batch_id || ' was rejected'
    END AS detail
FROM log AS paid
LEFT JOIN (
    SELECT
        proposed.batch_id,
        proposed.program,
        proposed.tranche,
        proposed.maker,
        approved.log_index AS approved_index,
        approved.checker,
        COUNT(rejected.log_index) > 0 AS is_rejected,
        MIN(cancelled.log_index) AS cancelled_index,
        COUNT(maker.since) > 0 AS maker_in_office,
        COUNT(checker.since) > 0 AS checker_in_office
    FROM log AS proposed
    LEFT JOIN (
        SELECT
            batch_id, checker, log_index,
            ROW_NUMBER() OVER (PARTITION BY batch_id ORDER BY log_index) AS place
        FROM log
        WHERE event = 'BatchApproved'
    ) AS approved
        ON approved.batch_id = proposed.batch_id AND approved.place = 1 AND approved.log_index > proposed.log_index
    LEFT JOIN log AS cancelled ON cancelled.event = 'BatchCancelled' AND cancelled.batch_id = proposed.batch_id
    LEFT JOIN log AS rejected ON rejected.event = 'BatchRejected' AND rejected.batch_id = proposed.batch_id
    LEFT JOIN offices AS maker
        ON maker.officer_id = proposed.maker AND maker.role = 'maker' AND maker.since < proposed.log_index
        AND (maker.until IS NULL OR maker.until > proposed.log_index)
    LEFT JOIN offices AS checker
        ON checker.officer_id = approved.checker AND checker.role = 'checker' AND checker.since < approved.log_index
        AND (checker.until IS NULL OR checker.until > approved.log_index)
    WHERE proposed.event = 'BatchProposed'
    GROUP BY
        proposed.batch_id, proposed.program, proposed.tranche, proposed.maker, approved.log_index, approved.checker
) AS batch ON batch.batch_id = paid.batch_id
WHERE paid.event = 'TrancheDisbursed'
