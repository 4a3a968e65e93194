"""Fast tests of one part each, without network."""
