"""Code without what is soon changed, to compare what students hand in with each other and with the library."""

import ast


def plain(source: str) -> str:
    r"""A cell's code without what is soon changed: local names, spaces, comments, docstrings, annotations.

    >>> plain("def f(x):\n    '''Sum.'''\n    total: int = x.sum()  # all\n    return total")
    'defF(V):V=V.sum()returnV'
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return "".join(ast.unparse(_Plain(_own_names(tree)).visit(tree)).split())


class _Plain(ast.NodeTransformer):
    def __init__(self, own: set[str]) -> None:
        self._own = own

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name("V", node.ctx) if node.id in self._own else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg("V")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = node.body[ast.get_docstring(node) is not None :] or [ast.Pass()]
        node.name, node.returns, node.decorator_list = "F", None, []
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        return ast.fix_missing_locations(ast.Assign([node.target], node.value)) if node.value else None


def _own_names(tree: ast.AST) -> set[str]:
    """What the code itself names: arguments, variables and functions; not what it imports or what Python has."""
    names = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return names | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
