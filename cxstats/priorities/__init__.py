"""What to work on first: drivers, importance against performance, Kano, pain points."""
