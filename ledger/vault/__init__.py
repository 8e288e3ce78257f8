"""Personal data, kept apart from the events: sealed row by row, and gone when a row is deleted.

The *vault* gives each *person* a *number*. Their data lies in one *sealed* row, found by *keyed hashes* of the national
id and of the account, so that nobody without the *vault key* learns whose row it is. What an event holds of the person
is the number and a *commitment*: a salted hash that only the row's data and salt can open. Once the row is deleted, the
commitment says nothing of anybody.
"""
