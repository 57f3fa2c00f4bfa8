"""Makes the drawn records of `conftest_attributes` fixtures of this folder."""

from conftest_attributes import records, unlabelled, weights

__all__ = ["records", "unlabelled", "weights"]
