"""How the parts are, asked of themselves."""
