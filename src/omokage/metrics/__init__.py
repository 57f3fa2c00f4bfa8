"""Plain functions that turn predictions and labels into numbers, with bootstrap intervals; numpy only."""
