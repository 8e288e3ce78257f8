"""The read side: every figure is a query over the log, rebuilt from its events each time."""
