-- One row a batch of payments, or of grants, reissues or refunds, which have no tranche; money in minor units of the currency.
-- count and total: as proposed.
-- refused: rows of its file that were not taken, when proposed and when run. paid_count and paid_total: paid so far.
SELECT
    proposed.batch_id,
    proposed.program,
    proposed.tranche,
    CASE
        WHEN later.is_executed THEN 'executed'
        WHEN later.is_cancelled THEN 'cancelled'
        WHEN later.is_rejected THEN 'rejected'
        WHEN later.is_approved THEN 'approved'
        ELSE 'proposed'
    END AS status,
    proposed.maker,
    later.checker,
    proposed.count,
    proposed.total,
    COALESCE(refusals.refused, 0) AS refused,
    COALESCE(paid.paid_count, 0) AS paid_count,
    COALESCE(paid.paid_total, 0) AS paid_total,
    proposed.effective_on AS proposed_on
FROM events AS proposed
LEFT JOIN (
    SELECT
        batch_id,
        MAX(event = 'BatchExecuted') AS is_executed,
        MAX(event = 'BatchCancelled') AS is_cancelled,
        MAX(event = 'BatchRejected') AS is_rejected,
        MAX(event = 'BatchApproved') AS is_approved,
        MAX(checker) AS checker
    FROM events
    WHERE event IN ('BatchApproved', 'BatchRejected', 'BatchExecuted', 'BatchCancelled')
    GROUP BY batch_id
) AS later ON later.batch_id = proposed.batch_id
LEFT JOIN (
    SELECT batch_id, SUM(CAST(refusal.rows AS DECIMAL(38, 0))) AS refused
    FROM (
        SELECT batch_id, explode(refused) AS refusal
        FROM events
        WHERE event IN ('BatchProposed', 'BatchExecuted')
    ) AS reasons
    GROUP BY batch_id
) AS refusals ON refusals.batch_id = proposed.batch_id
LEFT JOIN (
    SELECT batch_id, COUNT(*) AS paid_count, SUM(amount) AS paid_total
    FROM events
    WHERE event IN ('TrancheDisbursed', 'GroupFunded', 'TrancheReissued', 'TrancheRefunded')
    GROUP BY batch_id
) AS paid ON paid.batch_id = proposed.batch_id
WHERE proposed.event = 'BatchProposed'
ORDER BY proposed.effective_on NULLS LAST, proposed.batch_id NULLS LAST
