-- One row a scheme and channel: how many people were referred to it that way, each counted once.
SELECT scheme, channel, COUNT(DISTINCT recipient_id) AS people
FROM events
WHERE event = 'RecipientReferred'
GROUP BY scheme, channel
ORDER BY scheme NULLS LAST, channel NULLS LAST
