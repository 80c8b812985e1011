"""Service blueprints (`blueprint`): layers, flows, the critical path, standards, failures."""
