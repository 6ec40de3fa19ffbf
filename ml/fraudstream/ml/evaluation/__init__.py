"""What a model is worth: metrics, their intervals, costs, curves, and two models beside each other."""
