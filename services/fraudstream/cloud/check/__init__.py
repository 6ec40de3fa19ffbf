"""The offline linter: what of the settings, the code and the templates breaks a rule of the Azure services."""
