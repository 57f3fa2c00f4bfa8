"""Find faces in pictures and cut them out: finders behind one Protocol, and square crops with their way back."""
