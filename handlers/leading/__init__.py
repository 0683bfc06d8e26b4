"""What supervisors and directors see and order: lists, digests, figures, diagnosis."""
