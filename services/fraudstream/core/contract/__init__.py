"""The event contract: fields, gate, topics, rollups and the limits of what a document may hold."""
