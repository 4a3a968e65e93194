"""The mesh's protocol as state machines without I/O: twenty nodes run in one unit test."""
