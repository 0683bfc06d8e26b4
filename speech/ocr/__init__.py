"""Papers (PDF, photos) to lines of text, with their seals."""
