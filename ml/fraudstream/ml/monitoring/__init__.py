"""Whether what is scored today looks as what the champion learnt from."""
