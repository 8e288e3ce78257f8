-- One row an item and country of destination; quantities in the item's unit.
-- quantity: shipped. delivered: confirmed by proof. in_transit: shipped and not yet confirmed.
SELECT
    moved.item,
    moved.country,
    moved.quantity,
    moved.shipments,
    moved.delivered,
    moved.quantity - moved.delivered AS in_transit,
    stocked.unit
FROM (
    SELECT
        item,
        country,
        COALESCE(SUM(CASE WHEN event <> 'DeliveryConfirmed' THEN quantity END), 0) AS quantity,
        COUNT(CASE WHEN event <> 'DeliveryConfirmed' THEN 1 END) AS shipments,
        COALESCE(SUM(CASE WHEN event = 'DeliveryConfirmed' THEN quantity END), 0) AS delivered
    FROM events
    WHERE event IN ('MaskAidShipped', 'GoodsAidShipped', 'DeliveryConfirmed')
    GROUP BY item, country
) AS moved
LEFT JOIN (
    SELECT item, MAX(unit) AS unit FROM events WHERE event = 'GoodsStocked' GROUP BY item
) AS stocked ON stocked.item = moved.item
ORDER BY moved.item NULLS LAST, moved.country NULLS LAST
