"""The colours of the matrix where no stylesheet reaches: in layers and pictures. As in static/css/tokens.css, light."""

from typing import Final

FILLS: Final = {
    "v-validated": "#0b7a6f",
    "v-partial": "#dba127",
    "v-attested": "#dbf0ed",
    "v-progress": "#4f86d8",
    "v-gap": "#c8480f",
    "v-c0": "#ffffff",
    "v-c1": "#e1e6ec",
    "v-c2": "#bcc6d3",
    "v-c3": "#93a2b5",
    "v-c4": "#46556a",
}
PROVEN: Final = {
    "v-validated": "Validated",
    "v-partial": "Partial",
    "v-attested": "Attested only",
    "v-progress": "In progress",
    "v-gap": "Proven gap",
}
CLAIMED: Final = {"v-c1": "1-4 rules", "v-c2": "5-24 rules", "v-c3": "25-99 rules", "v-c4": "100 rules or more"}
OVERLAYS: Final = {"A": "#1a5ac2", "B": "#8f1d63", "C": "#43620a", "D": "#84400a", "E": "#33404f"}

INK: Final = dict.fromkeys(FILLS, "#14191f") | dict.fromkeys(("v-validated", "v-gap", "v-c4"), "#ffffff")
"""The colour of a figure on each fill."""
