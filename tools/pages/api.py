"""A page for each module of the library, from its docstrings, which are read and not run.

Docstrings are Google's sections around Markdown with formulas between dollars, which is what the pages are written in.
"""

import ast
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import griffe

Uses = Mapping[str, Sequence[tuple[str, str]]]  # a name -> address and title of each lecture that has it


class Library:
    """The library's public modules and names."""

    def __init__(self, root: Path) -> None:
        self.package = griffe.load(
            "vaeedu",
            search_paths=[str(root)],
            docstring_parser="google",
            docstring_options={
                "returns_named_value": False,
                "returns_multiple_items": False,
                "warnings": False,
            },
            resolve_aliases=True,
        )
        listed = ast.literal_eval(
            _value(self.package["_MODULES"]).removeprefix("frozenset(").removesuffix(")")
        )
        self.modules = {name: self.package[name] for name in sorted(listed)}
        self.names = {f"vaeedu.{name}" for name in self.modules}
        for name, module in self.modules.items():
            for member in public(module):
                self.names.add(f"vaeedu.{name}.{member.name}")
                if member.is_class:
                    self.names |= {f"vaeedu.{name}.{member.name}.{m.name}" for m in methods(member)}

    def find(self, written: str, module: str, within: str | None = None) -> str | None:
        """Returns the full name of what a docstring names, or None where it is nothing of the library's."""
        plain = written.removesuffix("()").removeprefix("vaeedu.")
        scopes = [f"vaeedu.{module}.", "vaeedu."]
        if within is not None:
            scopes.insert(0, f"vaeedu.{module}.{within}.")
        found = (scope + plain for scope in scopes)
        return next((name for name in found if name in self.names), None)


def _value(attribute: Any) -> str:
    return str(attribute.value)


def public(module: Any) -> list[Any]:
    """Returns what a module is for: what `__all__` lists, or else what it defines and documents."""
    if module.exports is not None:
        members = [_exported(module, str(name)) for name in module.exports]
        return sorted((m for m in members if not m.is_module), key=lambda m: (not m.is_class, m.name.lower()))
    own = [m for name, m in module.members.items() if not name.startswith("_") and not m.is_alias]
    return [m for m in own if (m.is_class or m.is_function) and m.docstring]


def _exported(module: Any, name: str) -> Any:
    """Returns a name that `__all__` lists; a lazy package has it in one of its modules only."""
    if name in module.members:
        try:
            return module[name].final_target if module[name].is_alias else module[name]
        except griffe.AliasResolutionError:  # one of several names that share an assignment
            value = getattr(importlib.import_module(module.path), name)
            return griffe.Attribute(name, value=repr(value))
    return next(part[name] for part in module.modules.values() if name in part.members)


def methods(cls: Any) -> list[Any]:
    """Returns a class's documented methods and properties, also those that it has from a class of the library."""
    return [
        member
        for name, member in cls.all_members.items()
        if not name.startswith("_")
        and member.docstring
        and (member.is_function or "property" in member.labels)
    ]


def used_names(sources: Iterable[str], names: set[str]) -> set[str]:
    """Returns the library's names that the code of a notebook uses."""
    known: dict[str, str] = {}
    found: set[str] = set()
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vaeedu":
                known |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
            if isinstance(node, ast.Import):
                known |= {name: name for each in node.names if (name := each.name.split(".")[0]) == "vaeedu"}
        for node in ast.walk(tree):
            parts = _dotted(node)
            if parts and parts[0] in known:
                full = ".".join((known[parts[0]], *parts[1:]))
                found |= {full} & names
    return found | {name.rpartition(".")[0] for name in found if name.count(".") > 1} & names


def _dotted(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return [*before, node.attr] if before else []
    return []


class Place(NamedTuple):
    """Where a docstring stands."""

    library: Library
    module: str
    within: str | None = None


def module_page(library: Library, name: str, uses: Uses) -> str:
    """Returns the page of a module, in MyST Markdown."""
    module, place = library.modules[name], Place(library, name)
    members = public(module)
    lines = [f"(module-{name})=", f"# {name}", "", f"```{{py:module}} vaeedu.{name}", "```", ""]
    lines += [
        "````{autolink-preface}",
        f"from vaeedu.{name} import {', '.join(m.name for m in members) or '*'}",
        "````",
        "",
    ]
    lines += [*docstring(module, place), *used_in(uses.get(f"vaeedu.{name}", ())), ""]
    if members:
        lines += ["| | |", "|---|---|"]
        lines += [
            f"| {{py:obj}}`{m.name} <vaeedu.{name}.{m.name}>` | {_first_sentence(m, place)} |"
            for m in members
        ]
        lines.append("")
    for member in members:
        lines += [f"## {member.name}", "", *described(member, place, uses)]
    return "\n".join(lines) + "\n"


def _first_sentence(member: Any, place: Place) -> str:
    if not member.docstring:
        return ""
    paragraph = member.docstring.value.partition("\n\n")[0].replace("\n", " ")
    sentence = re.split(r"(?<=\.)\s", paragraph, maxsplit=1)[0].rstrip(":")
    return linked(sentence, place).replace("|", "\\|")


def described(member: Any, place: Place, uses: Uses) -> list[str]:
    """Returns the description of a function, class or constant."""
    full = f"vaeedu.{place.module}.{member.name}"
    if member.is_class:
        inner = [
            part for method in methods(member) for part in _method(method, place._replace(within=member.name))
        ]
        body = [
            *_bases(member),
            *docstring(member, place._replace(within=member.name)),
            *used_in(uses.get(full, ())),
        ]
        return _directive("class", f"{member.name}{_signature(member)}", place.module, [*body, *inner], 6)
    if member.is_function:
        body = [*docstring(member, place), *used_in(uses.get(full, ()))]
        return _directive("function", f"{member.name}{_signature(member)}", place.module, body, 4)
    text = docstring(member, place) if member.docstring else []
    value = _value(member)
    shown = ["```python", f"{member.name} = {value}", "```", ""] if len(value) < 400 else []
    return _directive("data", member.name, place.module, [*text, *shown, *used_in(uses.get(full, ()))], 4)


def _method(method: Any, place: Place) -> list[str]:
    body = docstring(method, place)
    if not method.is_function:
        return _directive("property", method.name, place.module, body, 4)
    kind = {"classmethod", "staticmethod"} & set(method.labels)
    name = f"{method.name}{_signature(method, bound='staticmethod' not in kind)}"
    return _directive("method", name, place.module, body, 4, *kind)


def _directive(
    kind: str, signature: str, module: str, body: list[str], colons: int, *flags: str
) -> list[str]:
    fence = ":" * colons
    options = [f":module: vaeedu.{module}", *(f":{flag}:" for flag in flags)]
    return [f"{fence}{{py:{kind}}} {signature}", *options, "", *body, fence, ""]


def _bases(cls: Any) -> list[str]:
    return (
        [f"A `{base}`.", ""]
        if (base := ", ".join(str(b) for b in cls.bases)) and base != "NamedTuple"
        else []
    )


def _signature(member: Any, bound: bool | None = None) -> str:
    parameters = list(member.parameters)
    if member.is_class and not parameters:
        parameters = [
            griffe.Parameter(a.name, kind=griffe.ParameterKind.positional_or_keyword, default=a.value)
            for a in member.attributes.values()
            if "NamedTuple" in map(str, member.bases) and a.annotation and not a.name.startswith("_")
        ]
    if parameters and (bound or member.is_class) and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    return f"({', '.join(_written(parameters))})"


def _written(parameters: Sequence[Any]) -> Iterator[str]:
    kinds = griffe.ParameterKind
    starred = False
    for parameter in parameters:
        if parameter.kind is kinds.var_positional:
            starred = True
            yield f"*{parameter.name}"
        elif parameter.kind is kinds.var_keyword:
            yield f"**{parameter.name}"
        else:
            if parameter.kind is kinds.keyword_only and not starred:
                starred = True
                yield "*"
            yield parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"


def used_in(lectures: Sequence[tuple[str, str]]) -> list[str]:
    """Returns the line that leads back to the lectures."""
    if not lectures:
        return []
    links = ", ".join(f"[{title}]({address})" for address, title in lectures)
    words = "lecture" if len(lectures) == 1 else "lectures"
    return ["```{container} used-in", f"Used in {words} {links}.", "```", ""]


def docstring(thing: Any, place: Place) -> list[str]:
    """Returns a docstring in MyST Markdown."""
    lines: list[str] = []
    for part in thing.docstring.parsed if thing.docstring else ():
        kind = part.kind.value
        if kind == "text":
            lines += [*text(part.value, place), ""]
        elif kind in ("parameters", "attributes"):
            lines += [f"**{'Arguments' if kind == 'parameters' else 'Attributes'}**", ""]
            lines += [
                _item(f"`{each.name}`", each.annotation, each.description, place) for each in part.value
            ]
        elif kind == "returns":
            lines += ["**Returns**", ""]
            lines += [_item("", *_returned(each, thing), place) for each in part.value]
        elif kind in ("raises", "warns"):
            lines += [f"**{kind.capitalize()}**", ""]
            lines += [_item(f"`{each.annotation}`", None, each.description, place) for each in part.value]
        elif kind == "admonition":
            lines += [f"**{part.title}**", "", *text(part.value.description, place), ""]
        else:
            raise ValueError(
                f"{thing.path}: the site knows no docstring section {kind!r}; add it to api.docstring"
            )
        lines.append("")
    return lines


def _returned(each: Any, thing: Any) -> tuple[Any, str]:
    """Returns the type and the text of what comes back; Griffe takes what stands before a colon for the type."""
    declared = getattr(thing, "returns", None)
    if each.annotation is None or str(each.annotation) == str(declared):
        return declared, each.description
    return declared, f"{each.annotation}: {each.description.lstrip()}"


def _item(name: str, annotation: Any, description: str, place: Place) -> str:
    before = f"{name} ({_code(str(annotation))})".lstrip() if annotation is not None else name
    indented = linked(description, place).replace("\n", "\n  ")
    return f"- {before}{': ' if before else ''}{indented}"


def _code(annotation: str) -> str:
    return f"`{annotation}`"


def text(written: str, place: Place) -> list[str]:
    """Returns Markdown with its examples fenced, and its names of the library's linked."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", written.strip("\n")):
        if block.lstrip().startswith(">>>"):
            indent = len(block) - len(block.lstrip())
            example = [line[indent:] for line in block.splitlines()]
            lines += ["```pycon", *example, "```", ""]
        else:
            lines += [*linked(block, place).splitlines(), ""]
    return lines


def linked(written: str, place: Place) -> str:
    """Makes links of the names in backticks that are the library's."""

    def link(match: re.Match) -> str:
        full = place.library.find(match[1], place.module, place.within)
        return match[0] if full is None else f"{{py:obj}}`{match[1]} <{full}>`"

    return re.sub(r"(?<!`)`([\w.]+(?:\(\))?)`(?!`)", link, written)


def index(library: Library) -> str:
    """Returns the page that lists the modules."""
    rows = []
    for name, module in library.modules.items():
        place = Place(library, name)
        rows.append(f"| [{name}]({name}.md) | {_first_sentence(module, place)} |")
    listed = "\n".join(library.modules)
    head = "# The library\n\nA page for each module. `import vaeedu` loads a module when it is first used."
    return (
        f"{head}\n\n| module | what it is for |\n|---|---|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )
