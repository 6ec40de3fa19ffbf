"""Local endpoints that enforce the Azure services' rules, and a run of the unchanged services against them."""
