"""Weight files with readable cards: find, verify, load, save."""
