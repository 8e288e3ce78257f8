"""The pages of an export that tell strangers how to verify it."""
