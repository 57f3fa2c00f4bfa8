"""What every training run is made of: its loop, device, seeds, schedule, averaged weights, checkpoints, run folder,
metric log."""
