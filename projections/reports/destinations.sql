-- One row a country where placement of migrant workers is open again, and the decree that opened it.
SELECT country, decree_ref, effective_on AS reopened_on
FROM events
WHERE event = 'DestinationReopened'
ORDER BY effective_on NULLS LAST, country NULLS LAST
