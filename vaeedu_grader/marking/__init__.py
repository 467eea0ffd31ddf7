"""Grading: one submission as a job, many jobs beside each other, a class with one writer."""
