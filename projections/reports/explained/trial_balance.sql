-- What the figures of `trial-balance` are the sums of; minor units of the currency, or whole units of an item.
SELECT log_index, account, commodity, column_name, CAST(value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, account, commodity, 'debit' AS column_name, quantity AS value FROM postings WHERE quantity > 0
    UNION ALL
    SELECT log_index, account, commodity, 'credit' AS column_name, -quantity AS value FROM postings WHERE quantity < 0
    UNION ALL
    SELECT log_index, account, commodity, 'balance' AS column_name, quantity AS value FROM postings
) AS steps
