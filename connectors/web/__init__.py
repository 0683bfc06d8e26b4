"""The pages as HTML over HTTP: templates, cookies, forms, and the health endpoints."""
