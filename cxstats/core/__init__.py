"""What everything stands on: errors, languages, engines, moments, the base of results."""
