"""Lets tests of any folder import `stand_ins`: pytest puts the folder of a conftest on the path."""
