"""The stream job by how its query runs: the contract function, row by row, and as it was before there was a query."""
