"""The embeddings room: 256 numbers per face learnt from face tracks without a label (FAb-Net, as published and
repaired)."""
