"""How people get attention and the transformer's layer wrong."""
