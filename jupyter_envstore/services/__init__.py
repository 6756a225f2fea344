"""The use cases: what a person or a program can do with a store, by the noun that it is about."""
