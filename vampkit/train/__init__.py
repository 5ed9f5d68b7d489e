"""Training: a codec, and the two masked models on its tokens. Notebook: 04."""
