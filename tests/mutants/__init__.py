"""Breaks the program in one small way at a time, and tells which of these mutants no test finds."""
