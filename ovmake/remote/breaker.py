"""When a remote is given up for a build: after three failures in a row, or after 30 seconds lost to failures."""
