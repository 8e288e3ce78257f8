"""The write side: what may happen, and the record that it did."""
