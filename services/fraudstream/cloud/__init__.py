"""What the Azure services allow: the rules, a linter that reads them, and local endpoints that enforce them."""
