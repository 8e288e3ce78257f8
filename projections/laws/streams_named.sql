-- Every event lies in the stream that its own fields name.
SELECT
    log_index,
    stream,
    CASE WHEN expected IS NULL OR stream <> expected THEN COALESCE('belongs to ' || expected, 'belongs to no stream') END
        AS detail
FROM (
    SELECT
        log_index,
        stream,
        CASE
            WHEN event IN ('LedgerOpened', 'LedgerEntrusted') THEN 'ledger'
            WHEN event = 'ReferenceUsed' THEN 'reference/' || used
            WHEN event = 'FileProcessed' THEN 'file/' || command || '/' || file_sha256
            WHEN event IN ('OfficerEnrolled', 'OfficerRevoked', 'OfficerKeyReplaced') THEN 'officer/' || officer_id
            WHEN event = 'KeyAssigned' THEN 'key/' || public_key
            WHEN event IN (
                'ProgramOpened', 'BudgetSet', 'FundsReserved', 'FundsReleased', 'FundsSpent', 'FundsRecovered',
                'ProgramClosed'
            ) THEN 'program/' || program
            WHEN event IN (
                'RecipientRegistered', 'RecipientReferred', 'TrainingAttended', 'SupportReceived', 'ErasureRequested',
                'ErasureRejected', 'RecipientErased', 'DataDisclosed'
            ) THEN 'recipient/' || recipient_id
            WHEN event IN ('BatchProposed', 'BatchApproved', 'BatchRejected', 'BatchExecuted')
                THEN 'batch/' || batch_id
            WHEN event IN (
                'TrancheDisbursed', 'TrancheSettled', 'TrancheReturned', 'TrancheReissued', 'TrancheRefunded',
                'TrancheReversed'
            ) THEN 'payment/' || program || '/' || CAST(tranche AS STRING) || '/' || recipient_id
            WHEN event IN ('GroupFunded', 'AccountabilityReported') THEN 'group/' || program || '/' || group_id
            WHEN event = 'GroupJoined' THEN 'membership/' || program || '/' || recipient_id
            WHEN event IN ('GoodsStocked', 'StockIssued') THEN 'stock/' || item
            WHEN event IN ('MaskAidShipped', 'GoodsAidShipped', 'DeliveryConfirmed') THEN 'shipment/' || shipment_id
            WHEN event = 'DestinationReopened' THEN 'destination/' || country
        END AS expected
    FROM log
) AS named
