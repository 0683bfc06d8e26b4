"""Outside systems, a folder for each: what they say becomes our data, and the other way round."""
