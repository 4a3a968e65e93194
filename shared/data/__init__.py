"""The built-in data sets: how they are had, read and divided into parts."""
