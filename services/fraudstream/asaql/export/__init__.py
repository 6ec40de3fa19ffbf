"""A project's job as a Bicep module for Azure."""
