"""The search: candidates tried one after the other within a budget, then combined into an ensemble."""
