"""Microsoft's project folder as its tools write it: `asaproj.json`, `JobConfig.json`, inputs, outputs, functions."""
