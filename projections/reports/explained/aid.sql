-- What the figures of `aid` are the sums of; quantities in the item's unit.
SELECT log_index, item, country, column_name, CAST(value AS DECIMAL(38, 0)) AS value
FROM (
    SELECT log_index, item, country, 'quantity' AS column_name, quantity AS value
    FROM events
    WHERE event IN ('MaskAidShipped', 'GoodsAidShipped')
    UNION ALL
    SELECT log_index, item, country, 'shipments' AS column_name, 1 AS value
    FROM events
    WHERE event IN ('MaskAidShipped', 'GoodsAidShipped')
    UNION ALL
    SELECT log_index, item, country, 'delivered' AS column_name, quantity AS value
    FROM events
    WHERE event = 'DeliveryConfirmed'
    UNION ALL
    SELECT
        log_index, item, country, 'in_transit' AS column_name,
        CASE WHEN event = 'DeliveryConfirmed' THEN -quantity ELSE quantity END AS value
    FROM events
    WHERE event IN ('MaskAidShipped', 'GoodsAidShipped', 'DeliveryConfirmed')
) AS steps
