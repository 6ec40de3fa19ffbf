"""What the Azure services demand, limit and refuse: data and pure functions."""
