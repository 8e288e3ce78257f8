-- One row a posting in the order of the log; quantity in minor units of the currency, or whole units of an item.
-- decimals: digits of the commodity's minor unit. description: the event and its stream, which lead back to the log.
SELECT
    postings.log_index,
    postings.posting,
    postings.event,
    postings.effective_on,
    postings.event || ' ' || postings.stream AS description,
    postings.account,
    postings.commodity,
    postings.quantity,
    CASE WHEN postings.commodity = context.currency THEN context.decimals ELSE 0 END AS decimals
FROM postings
CROSS JOIN context
ORDER BY postings.log_index, postings.posting
