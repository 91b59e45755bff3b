#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Draws the picture of README.md: who speaks to whom.

  docs/picture.py >docs/picture.svg

`make check` fails when docs/picture.svg is not what this prints.
"""
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 430
FONT = "font-family='Helvetica, Arial, sans-serif'"
INK, SOFT, LINE, DATA, CONTROL = "#1f2933", "#52606d", "#9aa5b1", "#0b69a3", "#b44d12"

parts = []


def text(x, y, words, size=14, colour=INK, weight="normal", anchor="middle"):
    parts.append(f"<text x='{x}' y='{y}' font-size='{size}' fill='{colour}' font-weight='{weight}' "
                 f"text-anchor='{anchor}'>{escape(words)}</text>")


def frame(x, y, width, height, title):
    """A machine: what stands in it is drawn on top."""
    parts.append(f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='10' fill='#f5f7fa' "
                 f"stroke='{LINE}'/>")
    text(x + 12, y + 22, title, 14, SOFT, "bold", "start")


def box(x, y, width, height, name, says, ours=True):
    """A program or a file; ours is drawn darker than what the host has already."""
    fill, edge = ("#e3f2e8", "#3f8f5f") if ours else ("#ffffff", LINE)
    parts.append(f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='6' fill='{fill}' "
                 f"stroke='{edge}'/>")
    text(x + width / 2, y + 20, name, 14, INK, "bold")
    for i, line in enumerate(says):
        text(x + width / 2, y + 37 + 15 * i, line, 12, SOFT)


def arrow(points, colour, words="", at=(0, 0), anchor="middle"):
    path = " ".join(("M" if i == 0 else "L") + f"{x} {y}" for i, (x, y) in enumerate(points))
    kind = "data" if colour == DATA else "control"
    parts.append(f"<path d='{path}' fill='none' stroke='{colour}' stroke-width='2' "
                 f"marker-end='url(#{kind})'/>")
    if words:
        text(*at, words, 12, colour, "normal", anchor)


def marker(name, colour):
    parts.append(f"<marker id='{name}' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' "
                 f"markerHeight='7' orient='auto'><path d='M0 0 L10 5 L0 10 z' fill='{colour}'/></marker>")


def draw():
    parts.append("<defs>")
    marker("data", DATA)
    marker("control", CONTROL)
    parts.append("</defs>")
    parts.append(f"<rect width='{WIDTH}' height='{HEIGHT}' fill='#ffffff'/>")

    frame(10, 40, 170, 90, "a friend")
    box(25, 72, 140, 44, "ssh -L 8009:…", ["plain ssh, own key"], ours=False)
    frame(10, 265, 170, 120, "a private host")
    box(25, 297, 140, 58, "tunnel-agent", ["keeps ssh -R up,", "sends heartbeats"])
    text(95, 373, "its sshd on port 22", 12, SOFT)

    frame(235, 10, 615, 410, "the gateway: the sshd that you run already")
    box(260, 150, 130, 90, "sshd", ["Match blocks hold", "every login to", "the ceiling"], ours=False)
    box(455, 50, 150, 58, "akc", ["may this key log in,", "and forward what?"])
    box(455, 165, 150, 58, "pam_tunnel", ["registers the session,", "or refuses it"])
    box(675, 50, 150, 58, "leases.db", ["who, which ports,", "until when"])
    box(675, 165, 150, 58, "leasectl", ["the admin: grant,", "revoke, explain"])
    box(455, 297, 150, 73, "leased", ["agents and ports;", "ends the tunnels", "of dead leases"])
    box(675, 297, 150, 73, "a service", ["127.0.0.1:8009,", "on loopback: open to", "holders of a lease"], ours=False)

    arrow([(165, 94), (215, 94), (215, 178), (258, 178)], DATA)
    arrow([(165, 320), (215, 320), (215, 212), (258, 212)], DATA)
    arrow([(325, 240), (325, 400), (750, 400), (750, 372)], DATA, "the tunnel", (545, 393))
    arrow([(325, 148), (325, 79), (453, 79)], CONTROL, "asks at each login", (332, 71), "start")
    arrow([(390, 194), (453, 194)], CONTROL)
    arrow([(605, 79), (673, 79)], CONTROL, "reads", (639, 71))
    arrow([(750, 163), (750, 110)], CONTROL, "writes", (757, 140), "start")
    arrow([(605, 310), (640, 310), (640, 96), (673, 96)], CONTROL)
    arrow([(455, 330), (365, 330), (365, 242)], CONTROL, "ends sessions", (410, 323))
    return ("<svg xmlns='http://www.w3.org/2000/svg' "
            f"viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' {FONT} role='img'>\n"
            "<title>A friend and a private host reach the gateway's sshd; it asks akc, which reads the "
            "leases; leased ends the tunnels of dead leases.</title>\n" + "\n".join(parts) + "\n</svg>")


print(draw())
