"""One module per published data set: its own file layout in, a stream of `data.records.Record` out."""
