"""What engines want beside a mesh: levels of detail and joints."""
