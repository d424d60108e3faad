"""``make conform``: schemathesis asks the real program all that the description allows, and what it forbids.

It is no part of the program: it imports from all rooms and none imports it.
"""
