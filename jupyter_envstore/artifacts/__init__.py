"""What a build can be turned into: one module for each artifact."""
