-- One row an account and commodity; minor units of the currency, or whole units of an item.
-- balance = debit - credit; the balances of a commodity sum to zero.
SELECT
    account,
    commodity,
    COALESCE(SUM(CASE WHEN quantity > 0 THEN quantity END), 0) AS debit,
    COALESCE(SUM(CASE WHEN quantity < 0 THEN -quantity END), 0) AS credit,
    SUM(quantity) AS balance
FROM postings
GROUP BY account, commodity
ORDER BY account NULLS LAST, commodity NULLS LAST
