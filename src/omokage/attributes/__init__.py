"""The attributes room: one network reads heterogeneous attributes off a face (deep multi-task learning, Han et al.,
2018)."""
