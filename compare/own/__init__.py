"""A network of the user's own against PyTorch, wherever and however it keeps its parameters."""
