"""What is written for users: heads, pictures, tables, records."""
