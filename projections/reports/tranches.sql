-- One row a tranche of every program's schedule; money in minor units of the currency. amount: for one recipient.
-- payments: those not reversed. returned: came back and still open. reissued: paid again, each time it happened.
-- settled: confirmed by the bank and not returned since. open_returns: payments whose money is still back.
SELECT
    schedules.program,
    schedules.tranche,
    schedules.amount,
    COUNT(CASE WHEN payments.disbursed > 0 THEN 1 END) AS payments,
    COALESCE(SUM(payments.disbursed), 0) AS disbursed,
    COALESCE(SUM(payments.returned), 0) AS returned,
    COALESCE(SUM(payments.reissued), 0) AS reissued,
    COALESCE(SUM(payments.settled), 0) AS settled,
    COALESCE(SUM(payments.refunded), 0) AS refunded,
    COUNT(CASE WHEN payments.returned > 0 THEN 1 END) AS open_returns
FROM schedules
LEFT JOIN payments ON payments.program = schedules.program AND payments.tranche = schedules.tranche
GROUP BY schedules.program, schedules.tranche, schedules.amount
ORDER BY schedules.program NULLS LAST, schedules.tranche NULLS LAST
