"""Reports: what the ledger tells, each computed from the events alone.

A report is three things. Its query, `<name>.sql`, gives its rows; it reads the relation `events`. Its record in
`catalogue` says what it tells, which columns it has and which of them tell its rows apart; help, completion, headings,
totals and the names of figures follow from it. Its explanation, `explained/<name>.sql`, has a row for each event that
adds to a figure: a figure is the sum of these.

A relation is a query that others read, such as `payments`; it has a record as well. What lies in this room without the
rest is a flaw, and a test names it with what to write where.
"""
