"""Files that a group of nodes keeps alike: what is on the disk, what others have, and how the one becomes the
other. Nothing here uses the network."""
