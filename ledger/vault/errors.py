"""Refusals of the vault."""

from ledger.domain.errors import LedgerError


class VaultKeyError(LedgerError):
    """The vault's key is missing or is not the one the vault was written with."""

    code = "vault_key"
    sentence = "the vault's key {path} is missing or is not this vault's; put the right key file back"
    path: str


class VaultOlderError(LedgerError):
    """The vault is of an earlier format, or on its way from one."""

    code = "vault_older"
    sentence = "this vault is of an earlier version; bring it over with `salur vault upgrade`, which loses nothing"


class VaultRotatedError(LedgerError):
    """The vault was given other keys while a command worked with the earlier ones."""

    code = "vault_rotated"
    sentence = "the vault was given other keys while this command ran; nothing of this step was recorded: give it again"


class VaultNewerError(LedgerError):
    """The vault was written by a newer version."""

    code = "vault_newer"
    sentence = (
        "the vault is of format {found}, and this version of the program knows format {known}; use a newer version"
    )
    found: int
    known: int
