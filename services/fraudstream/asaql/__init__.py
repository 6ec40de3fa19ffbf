"""Stream Analytics query files (`*.asaql`): text → tree → plan → a run on Spark."""
