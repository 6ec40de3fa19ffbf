"""Running a query on files: which files, the Spark session, what came out."""
