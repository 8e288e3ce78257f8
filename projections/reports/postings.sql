-- Two rows an event that moves money or goods: posting 1 receives, posting 2 gives, so every event sums to zero.
-- quantity: minor units of the currency, or whole units of an item. Events not named here move nothing.
SELECT
    moves.log_index,
    legs.posting,
    moves.event,
    moves.effective_on,
    CASE legs.posting WHEN 1 THEN moves.receives ELSE moves.gives END AS account,
    moves.commodity,
    CASE legs.posting WHEN 1 THEN moves.quantity ELSE -moves.quantity END AS quantity,
    moves.stream
FROM (
    SELECT
        log_index, event, effective_on, stream,
        CASE
            WHEN event IN ('BudgetSet', 'FundsReleased', 'FundsRecovered') THEN available
            WHEN event IN ('FundsReserved', 'TrancheReversed') THEN reserved
            WHEN event IN ('TrancheDisbursed', 'TrancheReissued') THEN transfers
            WHEN event = 'TrancheReturned' THEN returned
            WHEN event = 'TrancheRefunded' THEN treasury
            WHEN event = 'GroupFunded' THEN grants
            WHEN event = 'GoodsStocked' THEN stock
            WHEN event IN ('MaskAidShipped', 'GoodsAidShipped') THEN in_transit
            WHEN event = 'DeliveryConfirmed' THEN delivered
            WHEN event = 'StockAdjusted' THEN written_off
        END AS receives,
        CASE
            WHEN event = 'BudgetSet' THEN appropriation
            WHEN event = 'FundsReserved' THEN available
            WHEN event IN ('FundsReleased', 'FundsRecovered', 'TrancheDisbursed', 'GroupFunded') THEN reserved
            WHEN event IN ('TrancheReturned', 'TrancheReversed') THEN transfers
            WHEN event = 'TrancheReissued' AND after = 'return' THEN returned
            WHEN event = 'TrancheReissued' THEN reserved
            WHEN event = 'TrancheRefunded' THEN returned
            WHEN event = 'GoodsStocked' THEN origin_account
            WHEN event IN ('MaskAidShipped', 'GoodsAidShipped', 'StockAdjusted') THEN stock
            WHEN event = 'DeliveryConfirmed' THEN in_transit
        END AS gives,
        CASE WHEN item IS NULL THEN ledger_currency ELSE item END AS commodity,
        CASE
            WHEN event = 'BudgetSet' THEN budget - previous
            WHEN item IS NULL THEN amount
            ELSE item_quantity
        END AS quantity
    FROM (
        SELECT
            log_index, event, effective_on, stream, amount, budget, previous, after, item, ledger_currency,
            quantity AS item_quantity,
            'assets:available:' || program AS available,
            'assets:reserved:' || program AS reserved,
            'assets:returned:' || program AS returned,
            'equity:appropriation:' || program AS appropriation,
            'equity:treasury:' || program AS treasury,
            'expenses:transfers:' || program || ':' || CAST(tranche AS STRING) AS transfers,
            'expenses:grants:' || program AS grants,
            'assets:goods:stock:' || item AS stock,
            'equity:goods:origin:' || item AS origin_account,
            'assets:goods:in-transit:' || country || ':' || item AS in_transit,
            'expenses:goods:delivered:' || country || ':' || item AS delivered,
            'expenses:goods:' || cause || ':' || item AS written_off
        FROM events
        CROSS JOIN (SELECT currency AS ledger_currency FROM context) AS opened
        WHERE event IN (
            'BudgetSet', 'FundsReserved', 'FundsReleased', 'FundsRecovered',
            'TrancheDisbursed', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded', 'TrancheReversed',
            'GroupFunded', 'GoodsStocked', 'MaskAidShipped', 'GoodsAidShipped', 'DeliveryConfirmed', 'StockAdjusted'
        )
    ) AS named
) AS moves
CROSS JOIN (SELECT 1 AS posting UNION ALL SELECT 2 AS posting) AS legs
