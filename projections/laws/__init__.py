"""What must hold over the whole log, one SQL file a law: a row a thing checked, with a detail where it is broken."""
