"""The live page and the history report, served from rollups and the ring of newest decisions."""
