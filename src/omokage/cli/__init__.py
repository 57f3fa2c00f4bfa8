"""The command line: each command parses, calls one function that a notebook could call, and prints."""
