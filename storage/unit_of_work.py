"""The only begin and commit in the project."""
