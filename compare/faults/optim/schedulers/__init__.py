"""How people get schedules of the learning rate wrong."""
