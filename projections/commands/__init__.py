"""The commands that read, and what surrounds every write.

Each module holds its groups under the names that are typed; `program list` and `disburse status` print a report and so
lie here, though their groups write otherwise. `archive.upkeep` is what `cli.py` hands to the commands that write: while
they work, a second process takes what they record into the log and the archive, and afterwards the rest is taken in.
"""
