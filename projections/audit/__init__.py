"""For auditors: everything verified, everything handed over, and every figure led to its events.

*Check* holds the log against the laws of the ledger. *Verify* establishes of a ledger, or of an *export* of one, that its
history is complete, unchanged and agreed by two officers, and says what it could not show. A *receipt* proves one event
to be in a log. A *published figure* is a report's rows in a signed note, which can be computed again at any time.
"""
