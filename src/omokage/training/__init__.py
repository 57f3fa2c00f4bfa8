"""Functions that every training loop calls: device, seeds, schedule, averaged weights, checkpoints, run folder, metric
log."""
