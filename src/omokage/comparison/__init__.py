"""What changed between two photographs of one person: signed changes with intervals, and whether it is one person."""
