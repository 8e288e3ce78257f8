"""Officers' files, read to the cell: CSV and workbooks, as people and spreadsheets really write them.

A file gives numbered *rows* of text *cells*; a *table* is a file whose header was understood, and gives the cells of a
row in the order of the *fields* asked for. A value that can be read in two ways is refused, not guessed. A refused row
is a *reject*: its line, its field, a code, a reason and the *shape* of its value, never the value.
"""
