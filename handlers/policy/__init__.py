"""The numbers in force and how they are changed in chat."""
