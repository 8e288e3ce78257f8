-- One row a recipient and program with a payment; money in minor units of the currency.
-- entitled: all tranches of the schedule. returned: came back and still open.
-- outstanding = entitled - disbursed + returned, what the recipient has yet to get.
SELECT
    'R' || LPAD(CAST(paid.recipient AS STRING), 9, '0') AS recipient_id,
    paid.program,
    COALESCE(terms.entitled, 0) AS entitled,
    paid.disbursed,
    paid.returned,
    COALESCE(terms.entitled, 0) - paid.disbursed + paid.returned AS outstanding,
    paid.refunded
FROM (
    -- By the recipient's number, which is grouped and ordered several times faster than the id made of it.
    SELECT
        recipient,
        program,
        SUM(disbursed) AS disbursed,
        SUM(returned) AS returned,
        SUM(refunded) AS refunded
    FROM disbursements
    GROUP BY recipient, program
) AS paid
LEFT JOIN (
    SELECT program, SUM(amount) AS entitled FROM schedules GROUP BY program
) AS terms ON terms.program = paid.program
ORDER BY paid.recipient, paid.program
