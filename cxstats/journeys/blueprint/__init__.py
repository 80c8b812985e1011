"""Service blueprints: elements in layers, what flows between them, times, standards, failures."""
