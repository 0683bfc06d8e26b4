"""What `python -m benchmarks.fuzz` is made of: good inputs, how they are broken, who reads them."""
