"""The write side: what may happen, and the record that it did.

`domain` holds the rules, `application` carries them out, `files` reads what officers give, `store`, `vault` and
`transparency` keep events, people and evidence, `commands` is what officers type, `console` what they see.
"""
