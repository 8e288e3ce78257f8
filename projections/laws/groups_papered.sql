-- Every funded group has its papers: a proposal of its own, a decree dated in the program's fiscal year, and a roster of
-- which each member is bound to the group.
SELECT
    funded.log_index,
    funded.stream,
    CASE
        WHEN opened.program IS NULL THEN 'the program was never opened'
        WHEN COALESCE(funded.proposal_ref, '') = '' THEN 'no proposal'
        WHEN COALESCE(funded.decree_ref, '') = '' OR funded.decree_on IS NULL THEN 'no decree'
        WHEN EXTRACT(YEAR FROM funded.decree_on) <> opened.fiscal_year
            THEN 'the decree is dated ' || CAST(funded.decree_on AS STRING) || ', outside fiscal year '
                || CAST(opened.fiscal_year AS STRING)
        WHEN COALESCE(roster.members, 0) = 0 THEN 'no roster'
        WHEN roster.bound < roster.members
            THEN CAST(roster.members - roster.bound AS STRING) || ' members are not bound to the group'
        WHEN taken.group_id <> funded.group_id
            THEN 'proposal ' || funded.proposal_ref || ' is that of group ' || taken.group_id
        WHEN taken.group_id IS NULL AND funded.batch_id IS NOT NULL
            THEN 'proposal ' || funded.proposal_ref || ' is not bound to the group'
    END AS detail
FROM log AS funded
LEFT JOIN log AS opened ON opened.event = 'ProgramOpened' AND opened.program = funded.program
LEFT JOIN (
    SELECT member.log_index, COUNT(DISTINCT member.recipient_id) AS members, COUNT(DISTINCT joined.recipient_id) AS bound
    FROM (
        SELECT log_index, program, group_id, explode(members) AS recipient_id FROM log WHERE event = 'GroupFunded'
    ) AS member
    LEFT JOIN log AS joined
        ON joined.event = 'GroupJoined' AND joined.program = member.program AND joined.group_id = member.group_id
        AND joined.recipient_id = member.recipient_id
    GROUP BY member.log_index
) AS roster ON roster.log_index = funded.log_index
-- Grants that were made in no batch may be older than the rule that a proposal is one group's.
LEFT JOIN log AS taken
    ON taken.event = 'ProposalTaken' AND taken.program = funded.program
    AND taken.proposal_key = sha2(LOWER(TRIM(funded.proposal_ref)), 256)
WHERE funded.event = 'GroupFunded'
