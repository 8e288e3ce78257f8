-- One row a payment whose money a bank sent back and that is neither paid again nor refunded; oldest first.
-- amount in minor units of the currency; age_days counts from the day of the return to the report's date.
SELECT
    payments.program || '/' || CAST(payments.tranche AS STRING) || '/' || payments.recipient_id
        || CASE WHEN back.attempt > 1 THEN '/' || CAST(back.attempt AS STRING) ELSE '' END AS payment_id,
    payments.program,
    payments.tranche,
    payments.recipient_id,
    payments.returned AS amount,
    back.return_reason,
    back.effective_on AS returned_on,
    datediff(context.as_of, back.effective_on) AS age_days
FROM payments
JOIN events AS back ON back.stream = payments.stream AND back.version = payments.returned_version
CROSS JOIN context
WHERE payments.returned > 0
ORDER BY back.effective_on, payments.program, payments.tranche, payments.recipient_id
