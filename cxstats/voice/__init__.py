"""Voice: what customers say in their own words, and what is done about it."""
