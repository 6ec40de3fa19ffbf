"""What every part shares: settings, the event contract, topics, documents, clients and errors."""
