"""Who may join: the members of a federation by their keys, invitations, and those who wait to be let in."""
