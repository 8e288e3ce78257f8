"""Refusals of the vault."""

from ledger.domain.errors import LedgerError


class VaultKeyError(LedgerError):
    """The vault's key is missing or is not the one the vault was written with."""

    code = "vault_key"
    sentence = "the vault's key {path} is missing or is not this vault's; put the right key file back"
    path: str
