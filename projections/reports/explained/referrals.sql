-- What the figures of `referrals` are the sums of: a person counts with the first referral to the scheme that way.
SELECT log_index, scheme, channel, 'people' AS column_name, CAST(1 AS DECIMAL(38, 0)) AS value
FROM (
    SELECT scheme, channel, MIN(log_index) AS log_index
    FROM events
    WHERE event = 'RecipientReferred'
    GROUP BY scheme, channel, recipient_id
) AS first_referred
