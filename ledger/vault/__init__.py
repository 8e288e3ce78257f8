"""Personal data, kept apart from the events: sealed row by row, and gone when a row is deleted.

The *vault* gives each *person* a *number*. Their data lies in *sealed* rows, one a *version*, each sealed for its own
number, version and agreement, so that a row that is moved elsewhere does not open. Two *indexes* of *keyed hashes*
lead from a national id and from an account to the number; without the keys nobody learns whose entry it is. What an
event holds of the person is the number and a *commitment*: a salted hash that only the row's data and salt can open.
Once the rows are deleted, the commitment says nothing of anybody.

The file `vault.key` *wraps* the keys that do this work, which lie in the vault itself as the *keyring*. A *mark* is a
keyed hash that stays of an erased person, and a *refused row* one of a row of a file that was not taken.
"""
