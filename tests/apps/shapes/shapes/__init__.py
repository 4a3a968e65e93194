"""One module for each shape; `by_name` runs the one that the run config names."""
