"""What the site adds to the pages: an address for each claim, and links to it wherever its id stands.

The Markdown files stay as they are, and can be read without the site.

- A heading that is the id of a claim has the id as its anchor; any other has the anchor that GitHub gives it.
  Links with GitHub's anchor of a claim lead to it as well.
- An id of a claim that is quoted as code is a link to the claim.
- The line of fields below a claim is set small; what it names under *see* and *documents* are links.
- Each answer to a statement of a document, and each count on the page *compatibility*, has a line of its own.
- The page *claims* lists all claims.
- The search knows each claim by its id and by the names of torch that it is about.
- A page of docs/upgrades has a box that hides what does not concern an optimizer, by static/upgrades.js.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains import Domain, ObjType
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

from fixtures.specification.register import Claim, Register, SpecificationError, read_register
from fixtures.training_use import names, subjects

DOCS = Path(__file__).parents[1]
_NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")
_STATEMENT = re.compile(r"\d{3}-\d+")
# The page that lists the upgrades.
_UPGRADES = "upgrades/README"


@cache
def register() -> Register:
    """Return the claims of this checkout."""
    return read_register(DOCS / "spec")


def slug(title: str) -> str:
    """Return the anchor of a heading: a claim's id as it is, and otherwise what GitHub makes of it."""
    known = register()
    return title if title in known or title in known.retired else _githubs(title)


def _githubs(title: str) -> str:
    return _NOT_IN_A_SLUG.sub("", title.lower()).replace(" ", "-")


class Anchors(SphinxTransform):
    """Gives the sections of a page, and the statements of a source document, their anchors."""

    default_priority = 705  # behind whatever gives ids, before links within the page are resolved

    def apply(self, **_: Any) -> None:
        """Put the anchor of each section first, where tables of contents and permalinks look."""
        slugs: dict[str, Any] = getattr(self.document, "myst_slugs", {})
        for section in self.document.findall(nodes.section):
            anchor = section.get("slug")
            if not anchor:
                continue
            section["ids"] = list(dict.fromkeys([anchor, _githubs(anchor)]))
            line, _, title = slugs[anchor]
            for address in section["ids"]:
                self.document.ids[address] = section
                slugs.setdefault(address, (line, anchor, title))
            slugs[anchor] = (line, anchor, title)
        if self.env.docname.startswith("documents/"):
            for item in self.document.findall(nodes.list_item):
                found = _STATEMENT.match(item.astext())
                if found and found[0] not in self.document.ids:
                    item["ids"].append(found[0])
                    item["classes"].append("statement")


class ClaimLinks(SphinxTransform):
    """Turns ids that are quoted into links, and sets the line of fields."""

    default_priority = 710

    def apply(self, **_: Any) -> None:
        """Change a page."""
        if self.env.docname.startswith("spec/"):
            for section in self.document.findall(nodes.section):
                if section[0].astext() in register():
                    section["classes"].append("claim")
                    _set_fields(section)
        if self.env.docname == "compatibility":
            for table in self.document.findall(nodes.table):
                table["classes"].append("counts")
                for text in list(table.findall(nodes.Text)):
                    text.parent.replace(text, nodes.Text(text.replace(" · ", "\n")))
        for literal in list(self.document.findall(nodes.literal)):
            claim_id = literal.astext()
            if claim_id in register() and not _stands_in(literal, nodes.reference, pending_xref):
                literal.replace_self(_link("claim", claim_id))


def _stands_in(node: nodes.Node, *kinds: type[nodes.Node]) -> bool:
    while (parent := node.parent) is not None:
        if isinstance(parent, kinds):
            return True
        node = parent
    return False


def _link(kind: str, target: str) -> pending_xref:
    shown: nodes.Node = (nodes.literal if kind == "claim" else nodes.inline)("", target)
    return pending_xref("", shown, refdomain="claim", reftype=kind, reftarget=target)


def _set_fields(section: nodes.section) -> None:
    """Set the line of fields of a claim: each field a span, and links where it names something."""
    paragraph = next(
        child
        for child in section.children[::-1]
        if isinstance(child, nodes.paragraph) and child.astext().startswith("torch:")
    )
    parts = paragraph.astext().split("·")
    paragraph["classes"].append("claim-fields")
    paragraph.clear()
    for number, part in enumerate(parts):
        name, _, value = part.strip().partition(": ")
        item = nodes.inline("", "", nodes.inline("", f"{name}:", classes=["field"]))
        item += nodes.Text(" ")
        item += list(_value(name, value))
        paragraph += [nodes.Text(" · "), item] if number else item


def _value(name: str, value: str) -> Iterator[nodes.Node]:
    kind = {"see": "claim", "documents": "statement", "erratum": "statement"}.get(name)
    if kind is None:
        yield nodes.Text(value)
        return
    for number, target in enumerate(value.split(",")):
        if number:
            yield nodes.Text(", ")
        yield _link(kind, target.strip())


class ClaimDomain(Domain):
    """The claims and statements, as Sphinx knows what can be linked to and searched for."""

    name = "claim"
    label = "specification"
    object_types = {"claim": ObjType("claim", "claim")}  # noqa: RUF012 (as Domain declares it)

    def get_type_name(self, type: ObjType, primary: bool = False) -> str:  # noqa: A002, ARG002
        """Return what the search calls a claim."""
        return type.lname

    def get_objects(self) -> Iterable[tuple[str, str, str, str, str, int]]:
        """Yield every claim, under its id and the names of torch that it is about."""
        for claim in register():
            names = dict.fromkeys(entry.partition("(")[0] for entry in claim.api)
            shown = f"{claim.id} ({', '.join(names)})" if names else claim.id
            # The search takes what is shown for the anchor of an object whose name is its anchor.
            yield shown, shown, "claim", f"spec/{claim.chapter}", claim.id, 1

    def resolve_xref(
        self,
        env: BuildEnvironment,
        fromdocname: str,
        builder: Builder,
        typ: str,
        target: str,
        node: pending_xref,  # noqa: ARG002
        contnode: nodes.Element,
    ) -> nodes.reference | None:
        """Return the link to a claim, or to a statement of a document."""
        if typ == "claim":
            page: str | None = (
                f"spec/{register()[target].chapter}" if target in register() else None
            )
        else:
            begin = f"documents/{target.partition('-')[0]}-"
            page = next((name for name in sorted(env.all_docs) if name.startswith(begin)), None)
        return make_refnode(builder, fromdocname, page, target, contnode) if page else None

    def resolve_any_xref(self, *_: Any) -> list[tuple[str, nodes.reference]]:
        """Return nothing: ids lead to claims where they are quoted, and only there."""
        return []


def _list_claims(_: Sphinx, page: str, text: list[str]) -> None:
    """Write the list of all claims below what the page *claims* says."""
    if page != "claims":
        return
    lines = ["---", "nosearch: true", "---", text[0]]  # the chapters have the same sentences
    initial = ""
    for claim in sorted(register(), key=lambda claim: claim.id):
        if claim.id[0] != initial:
            initial = claim.id[0]
            lines += ["", f"## {initial.upper()}", ""]
        lines.append(f"- `{claim.id}`<br>{claim.sentence}")
    text[0] = "\n".join(lines) + "\n"


def _leave_out_of_the_tree(app: Sphinx, _doctree: nodes.document) -> None:
    """Have a finding and an upgrade in no table of contents: their index and the search lead to them."""
    if app.env.docname.startswith(("findings/", "upgrades/")) and app.env.docname != _UPGRADES:
        app.env.metadata[app.env.docname]["orphan"] = True


def _tell_what_claims_are_about(
    app: Sphinx, page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the page of an upgrade its box, and what it has to know of the claims on the page."""
    if doctree is None or not page.startswith("upgrades/") or page == _UPGRADES:
        return
    ids = {literal.astext() for literal in doctree.findall(nodes.literal)}
    about = {claim.id: _about(claim) for claim in register() if claim.id in ids}
    kinds = {
        name: kind for name, kind in names.kinds().items() if not names.is_function_behind(name)
    }
    told = {"claims": about, "kinds": kinds, "bases": dict(names.BASES)}
    app.add_js_file(None, body=f"const upgrade = {json.dumps(told)};")
    app.add_js_file("upgrades.js", loading_method="defer")


def _about(claim: Claim) -> dict[str, list[str]]:
    """Return the names that a claim is about, by kind, and those that it excepts."""
    named = subjects.of_claim(claim.api, claim.sentence)
    found = {kind: sorted(own) for kind, own in named.items() if own}
    if left_out := sorted(subjects.excepted(claim.sentence)):
        found["except"] = left_out
    return found


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx what is here."""
    try:
        register()
    except SpecificationError as wrong:
        raise ExtensionError(str(wrong)) from None
    app.add_domain(ClaimDomain)
    app.add_transform(Anchors)
    app.add_transform(ClaimLinks)
    app.connect("source-read", _list_claims)
    app.connect("doctree-read", _leave_out_of_the_tree)
    app.connect("html-page-context", _tell_what_claims_are_about)
    return {"parallel_read_safe": False}
