"""The rows of bench/targets.py, by where their figures come from."""
