-- What the quantities of `journal` are: each is that of one event.
SELECT log_index, posting, 'quantity' AS column_name, CAST(quantity AS DECIMAL(38, 0)) AS value
FROM postings
