"""Event logs, promises, queues, forecasts and plans: what a service does, and what it takes."""
