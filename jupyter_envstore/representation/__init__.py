"""What the store holds, as JSON values."""
