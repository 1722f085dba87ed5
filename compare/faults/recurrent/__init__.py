"""How people get backpropagation through time wrong."""
