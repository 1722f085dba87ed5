"""How people get losses and their gradients wrong."""
