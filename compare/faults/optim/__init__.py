"""How people get update rules, clipping and accumulation wrong."""
