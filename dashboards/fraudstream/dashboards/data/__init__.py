"""What the pages know: reads of the document store and of `scored`, shared by all viewers."""
