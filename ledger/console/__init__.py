"""What a person at a terminal meets, whichever side of the ledger a command belongs to: options, tables, progress, endings.

A command reads or writes. What it has to show is a list of rows; a column says how its values are shown. The rooms of
commands, `ledger.commands` and `projections.commands`, stand on this one; it knows neither of them.
"""
