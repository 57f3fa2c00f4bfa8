"""Questions about a face in words: answers that are data, with the language model's own probabilities."""
