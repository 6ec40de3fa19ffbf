"""A version's report: what a review of the model asks for, with the figures of its run."""
