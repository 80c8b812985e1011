"""Event logs and what they say of a service: times, rates, ways, bottlenecks, savings."""
