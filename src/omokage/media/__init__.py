"""Pixels in and tables out: pictures, timed video frames, the inputs of a command, the faces table and its writers."""
