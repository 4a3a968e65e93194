"""What a client does while its server is away: it learns on over the mesh, to contribute it afterwards."""
