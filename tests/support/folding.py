"""Which cells of a notebook only draw, and so are folded: the rule that the lectures' tests keep.

A cell only draws if

- it uses matplotlib, a widget, a rendered table, or `axes` that it is given;
- it uses nothing else of the course's library: what the library computes is to be read;
- it prints nothing: the code behind a printed number is to be read, too;
- what it leaves to later cells is read only by cells that only draw themselves.
"""

import ast
import dis
from types import CodeType

DRAWS = {"Figure", "Markdown", "axes", "plotting", "plt", "widgets"}
PLAIN = DRAWS | {"seeded"}  # noise that keeps the points of a picture apart is no result


def only_draw(sources: list[str]) -> list[bool]:
    """Says of each code cell of a notebook, in their order, whether it only draws."""
    codes = [compile(source, "<cell>", "exec") for source in sources]
    read, bound = zip(*(_reads_and_binds(code) for code in codes), strict=True)
    library = set().union(*(_from_the_library(ast.parse(source)) for source in sources)) - PLAIN
    answers = [False] * len(sources)
    for i in reversed(range(len(sources))):  # the later cells first: what is left to them depends on them
        answers[i] = (
            not DRAWS.isdisjoint(_all_names(codes[i]))
            and read[i].isdisjoint(library | {"print"})
            and all(answers[reader] for reader in _readers(bound[i], read[i + 1 :], bound[i + 1 :], i + 1))
        )
    return answers


def _readers(names, read, bound, first):
    """The numbers of the later cells that read one of the names, before another cell binds it anew."""
    for name in names:
        for number, (reads, binds) in enumerate(zip(read, bound, strict=True), start=first):
            if name in reads:
                yield number
            if name in binds:
                break


def _reads_and_binds(code: CodeType, known: frozenset[str] = frozenset()) -> tuple[set[str], set[str]]:
    """The global names that code reads before it binds them, and those that it binds; bytecode has the order."""
    read, bound = set(), set(known)
    for instruction in dis.get_instructions(code):
        if instruction.opname == "STORE_NAME":
            bound.add(instruction.argval)
        elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL") and instruction.argval not in bound:
            read.add(instruction.argval)
    for function in (constant for constant in code.co_consts if isinstance(constant, CodeType)):
        read |= _reads_and_binds(function, frozenset(bound))[0]
    return read, bound - known


def _all_names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return {*code.co_names, *code.co_varnames}.union(*map(_all_names, inner))


def _from_the_library(tree: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if (node.module or "").partition(".")[0] == "vaeedu"]
    return {name.asname or name.name for node in ours for name in node.names}
