"""What the commands of ``fraudstream query`` do."""
