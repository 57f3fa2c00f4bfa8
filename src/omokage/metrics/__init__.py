"""Measures as plain functions of arrays."""
