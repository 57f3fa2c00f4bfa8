"""Makes the drawn records of `conftest_attributes` fixtures of this folder."""

from conftest_attributes import photographs, records, unlabelled, weights

__all__ = ["photographs", "records", "unlabelled", "weights"]
