"""Drawings for light and dark pages; the same figures give the same file."""

from html import escape
from typing import Literal, TypeAlias

from attrs import define, field

Anchor: TypeAlias = Literal["start", "middle", "end"]

# The colours follow the reader's system; the drawing has a background of its own, so that it suits any page.
_STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #45443f }
.title { font-weight: 600; font-size: 13px; fill: #111110 }
.ground { fill: #fcfcfb }
.grid { stroke: #e3e2dd; stroke-width: 1; fill: none }
.ours { fill: #2a6fdb; stroke: #2a6fdb }
.other { fill: #8f8d86; stroke: #8f8d86 }
.third { fill: #bdbab0; stroke: #bdbab0 }
.curve { stroke-width: 2; fill: none }
.bar { stroke: none }
.error { fill: #b3261e }
@media (prefers-color-scheme: dark) {
text { fill: #c3c2b7 }
.title { fill: #ffffff }
.ground { fill: #1a1a19 }
.grid { stroke: #3a3936 }
.ours { fill: #5b9bf5; stroke: #5b9bf5 }
.other { fill: #8a8880; stroke: #8a8880 }
.third { fill: #5f5d57; stroke: #5f5d57 }
.error { fill: #ff9a90 }
.curve { fill: none }
}
"""


@define
class Drawing:
    """An SVG image, to which shapes are added one by one."""

    width: int
    height: int
    title: str
    _shapes: list[str] = field(factory=list)

    def text(self, x: float, y: float, text: str, *, anchor: Anchor = "start", kind: str = "") -> None:
        style = f' class="{kind}"' if kind else ""
        self._shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(text)}</text>')

    def bar(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        shape = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"'
        self._shapes.append(f'<rect {shape} class="bar {kind}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self._shapes.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="grid"/>')

    def curve(self, points: list[tuple[float, float]], kind: str) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._shapes.append(f'<path d="M{path}" class="{kind} curve"/>')
        self._shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{kind}"/>' for x, y in points]

    def render(self) -> str:
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img">',
                f"<title>{escape(self.title)}</title>",
                f"<style>{_STYLE}</style>",
                f'<rect width="{self.width}" height="{self.height}" rx="6" class="ground"/>',
                *self._shapes,
                "</svg>\n",
            ]
        )
