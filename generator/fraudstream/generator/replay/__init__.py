"""``fraudstream replay``: a file's rows as live events on their own time line, with labels that follow later."""
