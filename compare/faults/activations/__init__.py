"""How people get the derivatives of activations wrong."""
