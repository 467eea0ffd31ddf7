"""What a marked cell runs in the sandbox: it calls the student's function, and sends away what the function answered.

The right answers are not here; they are not even on this side of the sandbox's wall.
"""

from IPython.display import display

from vaeedu.feedback.run import Answer, Failure, run_all
from vaeedu.feedback.wire import MIME, pack_answers, unpack_cases


def emit(function: object, cases: str, num_outputs: int, seconds: float) -> None:
    """Calls a function on packed cases, and displays its packed answers under a MIME type that the grader collects.

    Args:
        function: What the notebook has under the exercise's name; None if it has nothing.
        cases: What `pack_cases` made.
        num_outputs: How many values the function is asked for.
        seconds: How long one call may take.
    """
    if callable(function):
        answers = run_all(function, unpack_cases(cases), num_outputs=num_outputs, time_limit=seconds)
    else:
        kind = "undefined" if function is None else "not_callable"
        answers = (Answer(failure=Failure(kind, type(function).__name__)),)
    display({MIME: pack_answers(answers).decode()}, raw=True)
