-- Where the vault is at hand: nobody who is erased is in it, and everybody else who is registered is.
SELECT
    person.log_index,
    person.stream,
    CASE
        WHEN person.is_erased AND absent.first IS NULL
            THEN person.recipient_id || ' is erased, and still in the vault; `salur recipient erase approve '
                || person.recipient_id || '` completes it'
        WHEN NOT person.is_erased AND absent.first IS NOT NULL
            THEN person.recipient_id || ' is not erased, and not in the vault; restore a copy of it'
    END AS detail
FROM (
    SELECT
        MAX(log_index) AS log_index, stream, recipient_id, recipient, MAX(event = 'RecipientErased') AS is_erased
    FROM log
    WHERE event IN ('RecipientRegistered', 'RecipientErased') AND EXISTS (SELECT 1 FROM absent)
    GROUP BY stream, recipient_id, recipient
) AS person
-- The ranges of numbers that nobody in the vault has; none where the vault is not at hand.
LEFT JOIN absent ON person.recipient >= absent.first AND person.recipient <= absent.last
