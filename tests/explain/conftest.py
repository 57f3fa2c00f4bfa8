"""Lets the tests of this folder import their slow rules: pytest puts the folder of a conftest on the path."""
