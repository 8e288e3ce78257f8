"""The relation `events`: the whole log as one wide, typed table, which every report, law and proof reads.

A *segment* is a range of the log sealed into a Parquet file; the *archive* is all segments; the *tail* is the end of the
log, which only the store holds yet. The relation `log` is the archive and the tail together, and `events` what is seen
of it *as of* a business date and *as known at* a size of the log or an instant. A *span* is a range of the log that one
process works on.
"""
