"""Rendered heads with exact labels: people, scenes, pictures, pairs, tracks, and the records that train other rooms."""
