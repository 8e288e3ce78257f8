"""Reports: SQL over one relation of events, and what each of their figures is the sum of."""
