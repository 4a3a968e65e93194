"""The REST API: one blueprint for each kind of thing, and OpenAPI from the same models."""
