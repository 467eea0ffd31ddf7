"""Taking in what students send: whose it is, which files are read, and the notebook that may be run."""
