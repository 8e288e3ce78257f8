"""Every refusal there is, provoked through the real code; a module for each part of the ledger."""
