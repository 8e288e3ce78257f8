-- At every point of the log no more of an item is shipped or written off than was stocked, and no more delivered than was
-- shipped.
SELECT
    log_index,
    stream,
    CASE
        WHEN left_over < 0
            THEN CAST(-left_over AS STRING) || ' more ' || item
                || CASE event WHEN 'StockAdjusted' THEN ' written off' ELSE ' shipped' END || ' than in stock'
    END AS detail
FROM (
    SELECT
        log_index, stream, event, item,
        SUM(CASE WHEN event = 'GoodsStocked' THEN quantity ELSE -quantity END) OVER (
            PARTITION BY item ORDER BY log_index ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS left_over
    FROM log
    WHERE event IN ('GoodsStocked', 'MaskAidShipped', 'GoodsAidShipped', 'StockAdjusted')
) AS stocks
WHERE event <> 'GoodsStocked'
UNION ALL
SELECT
    log_index,
    stream,
    CASE WHEN under_way < 0 THEN CAST(-under_way AS STRING) || ' more ' || item || ' delivered than shipped' END AS detail
FROM (
    SELECT
        log_index, stream, event, item,
        SUM(CASE WHEN event = 'DeliveryConfirmed' THEN -quantity ELSE quantity END) OVER (
            PARTITION BY shipment_id, item, country ORDER BY log_index
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS under_way
    FROM log
    WHERE event IN ('DeliveryConfirmed', 'MaskAidShipped', 'GoodsAidShipped')
) AS shipments
WHERE event = 'DeliveryConfirmed'
