"""The database: a repository for each subject, a unit of work for each transaction. SQLite or
PostgreSQL by URL."""
