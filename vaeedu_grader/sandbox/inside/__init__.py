"""The program inside a sandbox: an IPython that gets its cells through a pipe and sends their outputs through another.

It knows no answers and decides nothing. Whatever a student does to it changes only what the student's own cells are
seen to put out.
"""

# What a student hears who asks for a module of the library that the exercise wants written.
SEALED = "{name} is not there while your work is graded: the exercise asks you to write it yourself"
