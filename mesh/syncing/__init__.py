"""How nodes that share a folder talk over the mesh, and get files from one another."""
