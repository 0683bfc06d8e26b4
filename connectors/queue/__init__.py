"""The inbox on NATS JetStream: what doors take in waits there until it is in the database."""
