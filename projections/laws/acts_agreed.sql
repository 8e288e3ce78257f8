-- Once two officers have adopted the rules, what moves money or rights rests on the words of as many other officers as its
-- proposal asked for. A ledger that awaits them pays and ships nothing before.
SELECT
    done.log_index,
    done.stream,
    CASE
        WHEN done.log_index < adopted.log_index THEN done.event || ' before the rules were adopted'
        WHEN done.agreement IS NULL THEN done.event || ' without an agreement'
        WHEN proposed.subject IS NULL THEN 'no act ' || done.agreement || ' was proposed before'
        WHEN proposed.kind <> done.needs
            AND NOT (proposed.kind = 'recovery' AND done.event IN ('OfficerEnrolled', 'OfficerKeyReplaced'))
            THEN 'agreed to as ' || proposed.kind || ', not as ' || done.needs
        WHEN COALESCE(words.given, 0) < proposed.words
            THEN CAST(COALESCE(words.given, 0) AS STRING) || ' of ' || CAST(proposed.words AS STRING) || ' words were given'
    END AS detail
FROM (
    SELECT
        log_index, stream, event, agreement,
        CASE {agreed} END AS needs
    FROM log
) AS done
JOIN (
    SELECT
        COALESCE(MIN(CASE WHEN event = 'RulesAdopted' THEN log_index END), 9223372036854775807) AS log_index,
        COUNT(rules_edition) > 0 AS are_awaited
    FROM log
    WHERE event IN ('RulesAdopted', 'LedgerOpened')
) AS adopted
    ON done.log_index >= adopted.log_index OR (adopted.are_awaited AND done.needs IN ('batches', 'goods'))
LEFT JOIN log AS proposed
    ON proposed.event = 'ActProposed' AND proposed.log_index < done.log_index
    AND proposed.subject || '@' || CAST(proposed.version AS STRING) = done.agreement
LEFT JOIN (
    SELECT done.log_index, COUNT(DISTINCT agreed.checker) AS given
    FROM log AS done
    JOIN log AS acts
        ON acts.event = 'ActProposed' AND acts.subject || '@' || CAST(acts.version AS STRING) = done.agreement
    JOIN log AS agreed
        ON agreed.event = 'ActAgreed' AND agreed.subject = acts.subject AND agreed.proposal = acts.version
        AND agreed.act_sha256 = acts.act_sha256 AND agreed.checker <> acts.proposer AND agreed.log_index < done.log_index
    -- A batch is agreed to as a whole and run later.
    LEFT JOIN log AS last
        ON done.event IN ('GroupFunded', 'TrancheReissued', 'TrancheRefunded') AND last.event = 'ActAgreed' AND last.is_last = 1
        AND last.subject = acts.subject AND last.proposal = acts.version
    LEFT JOIN log AS lost
        ON lost.event IN ('OfficerRevoked', 'OfficerKeyReplaced', 'RolesChanged') AND lost.officer_id = agreed.checker
        AND lost.log_index > agreed.log_index AND lost.log_index < COALESCE(last.log_index, done.log_index)
    WHERE lost.officer_id IS NULL
    GROUP BY done.log_index
) AS words ON words.log_index = done.log_index
WHERE done.needs IS NOT NULL
