"""Whether what is scored today looks as what the champion learnt from."""

# The share of windows without drift in which anything at all is reported.
FALSE_ALARMS = 0.004
# As many as a window has by default: a shift of half a standard deviation shows in far fewer.
NEWEST = 5_000
# A window of fewer rows says nothing.
LEAST_ROWS = 200
