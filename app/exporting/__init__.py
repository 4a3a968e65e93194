"""A run as files for other programs: JSON, CSV and TensorBoard event files."""
