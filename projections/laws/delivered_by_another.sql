-- Once two officers have adopted the rules, a delivery is confirmed by another officer than the one who sent the goods.
SELECT
    delivered.log_index,
    delivered.stream,
    CASE
        WHEN delivered.officer = shipped.shipper THEN delivered.officer || ' shipped and confirmed the delivery'
    END AS detail
FROM log AS delivered
JOIN (SELECT MIN(log_index) AS log_index FROM log WHERE event = 'RulesAdopted') AS adopted
    ON delivered.log_index >= adopted.log_index
LEFT JOIN (
    SELECT sent.shipment_id, COALESCE(proposed.proposer, sent.officer) AS shipper
    FROM log AS sent
    LEFT JOIN log AS proposed
        ON proposed.event = 'ActProposed'
        AND proposed.subject || '@' || CAST(proposed.version AS STRING) = sent.agreement
    WHERE sent.event IN ('MaskAidShipped', 'GoodsAidShipped')
) AS shipped ON shipped.shipment_id = delivered.shipment_id
WHERE delivered.event = 'DeliveryConfirmed'
