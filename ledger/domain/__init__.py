"""What may happen: the rules of the ledger, as functions of state, without database, files or clock.

An *event* is a fact about one thing; it never changes. Its *stream* is the history of that thing, named by the event's
own fields. A *state* is what a stream's events say together; a *fold* (`evolve`) adds one event to it and holds no rule,
so that history can always be replayed. A *decision* takes a state and a request and returns the events to record, none
if this was recorded before, or raises a *refusal*: a `LedgerError` with a permanent code and a sentence that says what
to do.

Each aggregate (a program, a payment, a batch …) is one file: its events, its refusals, its state and fold, its
decisions, in this order. The `registry` gathers the events of all of them. An event class declares its topic, its
stream, who signs it and which person it concerns; all else that needs these is derived.
"""
