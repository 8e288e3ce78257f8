-- One row a payment whose money a bank sent back and that is neither paid again nor refunded; oldest first.
-- amount in minor units of the currency; age_days counts from the day of the return to the report's date.
SELECT
    paid.program || '/' || CAST(paid.tranche AS STRING) || '/' || paid.recipient_id
        || CASE WHEN back.attempt > 1 THEN '/' || CAST(back.attempt AS STRING) ELSE '' END AS payment_id,
    paid.program,
    paid.tranche,
    paid.recipient_id,
    paid.returned AS amount,
    back.return_reason,
    back.effective_on AS returned_on,
    datediff(context.as_of, back.effective_on) AS age_days
FROM disbursements AS paid
JOIN events AS back ON back.stream = paid.stream AND back.version = paid.returned_version
CROSS JOIN context
WHERE paid.returned > 0
ORDER BY back.effective_on NULLS LAST, paid.program NULLS LAST, paid.tranche NULLS LAST, paid.recipient_id NULLS LAST
