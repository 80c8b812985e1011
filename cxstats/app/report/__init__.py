"""A report from a client's file: one content, four forms."""
