"""Material for training and measuring: the record format, identity splits, augmentations."""
