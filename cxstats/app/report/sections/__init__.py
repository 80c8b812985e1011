"""The chapters of a report, one module each: a client's file in, a `Section` out."""
