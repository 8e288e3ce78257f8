"""What every figure of a report is the sum of, one SQL file a report: a row an event, row of the report and column."""
