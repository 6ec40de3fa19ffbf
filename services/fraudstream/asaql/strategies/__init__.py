"""How a project's query runs as its stream job: each output by the contract function, row by row, or with windows."""
