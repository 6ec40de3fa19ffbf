"""What the hub keeps: identities, twins, policies, and messages on their way to devices."""
