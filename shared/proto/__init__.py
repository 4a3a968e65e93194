"""The link's wire schema and the code generated from it (`python -m shared.proto.generate`)."""
