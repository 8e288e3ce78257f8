"""What a person at a terminal meets, whichever side of the ledger a command belongs to: options, tables, progress, endings.

A command reads or writes. What it has to show is a list of rows; a column says how its values are shown. The rooms of
commands, `ledger.commands` and `projections.commands`, stand on this one; it knows neither of them.

The *session* is what was said before the command: which ledger, whose keys, which language. It also carries the
*upkeep*, which the root command hands in: what surrounds every write (the transparency log and the archive take in what
was recorded). So a command that writes needs to know nothing of those that read.

A command's *request* is what was said with it by every writing command: who acts, when, under which reference.
"""
