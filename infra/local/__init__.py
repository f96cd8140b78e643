"""The embedded cloud: everything that Parley needs of a cloud, on one machine."""
