"""What lasts: rows and blobs."""
