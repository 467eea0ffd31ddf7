"""The page that a student gets back: nbgrader's marks and comments, told by exercise."""
