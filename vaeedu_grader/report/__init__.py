"""What a class misunderstood: from the records of grading to a page and a table."""
