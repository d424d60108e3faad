"""The pages: each handler parses, calls one function, answers."""
