"""The client's side of the data path: what a client sends, read strictly."""
