"""Accounting for use: who asked what of which gallery of faces, when, and for what purpose."""
