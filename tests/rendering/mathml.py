"""What MathML Core is: its elements, how many children they take, and the attributes that it has.

After https://www.w3.org/TR/mathml-core/, section 3, whose elements are the keys below.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

ANY = None
CHILDREN: dict[str, int | None] = {
    "math": ANY, "mrow": ANY, "mstyle": ANY, "mtable": ANY, "mtr": ANY, "mtd": ANY, "msqrt": ANY,
    "mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3,
    "mi": 0, "mn": 0, "mo": 0, "mtext": 0,
}  # fmt: skip
"""How many element children each takes; of tokens, none."""

GLOBAL = frozenset({"class", "id", "style", "dir", "displaystyle", "mathcolor", "mathbackground", "scriptlevel"})
OWN: dict[str, frozenset[str]] = {
    "math": frozenset({"display", "aria-label", "alttext"}),
    "mi": frozenset({"mathvariant"}),
    "mo": frozenset({"form", "fence", "separator", "lspace", "rspace", "stretchy", "symmetric", "largeop"}),
}
PARENTS = {"mtr": "mtable", "mtd": "mtr"}


def faults(root: Element) -> list[str]:
    """What is not MathML Core in a ``math`` element."""
    found: list[str] = []
    if root.tag != "math":
        found.append(f"the root is {root.tag}")
    _walk(root, None, found)
    return found


def _walk(element: Element, parent: str | None, found: list[str]) -> None:
    tag = element.tag
    if tag not in CHILDREN:
        found.append(f"{tag} is no element of MathML Core")
        return
    children = list(element)
    wanted = CHILDREN[tag]
    if wanted is not None and len(children) != wanted:
        found.append(f"{tag} has {len(children)} children instead of {wanted}")
    if PARENTS.get(tag, parent) != parent:
        found.append(f"{tag} stands in {parent}")
    if tag == "mtable" and any(child.tag != "mtr" for child in children):
        found.append("a table holds something else than rows")
    for name in element.attrib:
        if name not in GLOBAL | OWN.get(tag, frozenset()):
            found.append(f"{tag} has an attribute {name}")
    texts = [element.text, *(child.tail for child in children)]
    if wanted == 0:
        if not (element.text or "").strip() and element.text not in ("\u2061", "\u2062", "\u2063", "\u2064"):
            found.append(f"{tag} is empty")
    elif any((text or "").strip() for text in texts):
        found.append(f"{tag} holds bare text")
    for child in children:
        _walk(child, tag, found)
