"""Whether two photographs show one person: a network of its own, so that learning changes cannot blur who it is."""
