"""What the pages read: plain functions over a connection that return frozen dataclasses."""
