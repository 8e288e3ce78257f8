"""Where events are kept: one port, and behind it a SQLite file or a PostgreSQL database.

The *log* is all events in the order in which they were stored, numbered 0, 1, 2, … without a gap. An *entry* is an event
at its place: its stream, its version there, and the *meta* (who, when, under which reference). Its *line* is the JSON
that says all of this in fixed bytes, which officers sign and the transparency log hashes. A *block* is so many lines as
are read in one go.

An append stores all of its events or none. It fails as a *conflict* where a version of a stream is taken, or where what
the decision read has changed since (the append's *condition*).
"""
