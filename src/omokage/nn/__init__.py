"""Building blocks of the networks: every operation is a module, so that relevance can be propagated through all of
them."""
