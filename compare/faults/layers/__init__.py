"""How people get layers wrong, from the linear one to those that lay numbers out anew."""
