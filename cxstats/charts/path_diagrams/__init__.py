"""The path diagram of a structural model: layout, routes and drawing in matplotlib alone."""
