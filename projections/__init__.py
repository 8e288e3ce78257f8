"""The read side: every figure is a query over the log, rebuilt from its events each time.

`relation` makes the log a table, `reports` and `laws` ask it, `audit` shows strangers that the answers are true, and
`commands` prints them.
"""
