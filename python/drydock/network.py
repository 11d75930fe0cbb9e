"""The network of the containers on this machine: one bridge, a pair of links for each container.

Source: drydock::network (network/bridge.hpp, subnet.hpp); docs/architecture.md, "Addresses".
"""
from __future__ import annotations

from dataclasses import dataclass

from . import _core, svg
from .display import Drawing, Rich, text_table

__all__ = ["Bridge", "Endpoint", "Topology", "bridge", "topology"]


@dataclass(frozen=True, repr=False)
class Bridge(Rich):
    """The bridge that all containers share: its name, its own address and its subnet."""

    bridge: str
    gateway: str
    subnet: str

    def to_text(self) -> str:
        return f"{self.bridge}  {self.gateway}  {self.subnet}\n"


@dataclass(frozen=True, repr=False)
class Endpoint(Rich):
    """One container in the picture; `link` is the host's end of its pair, "" when it has none of its own."""

    name: str
    mode: str
    address: str
    link: str
    ports: tuple[str, ...]

    def to_text(self) -> str:
        return f"{self.name}  {self.mode}  {self.address or '-'}  {self.link or '-'}  {' '.join(self.ports)}\n"


@dataclass(frozen=True, repr=False)
class Topology(Rich):
    """The bridge and the containers that run, each with its network mode."""

    bridge: Bridge
    endpoints: tuple[Endpoint, ...]

    def draw(self, most: int = 6) -> Drawing:
        """Host, bridge and containers as boxes; beyond `most` containers the others are only counted. Errors: none.
        Source: docs/architecture.md.

        >>> import drydock
        >>> drydock.network.topology().draw().svg[:4]
        '<svg'
        """
        shown = self.endpoints[:most]
        count = max(len(shown), 1)
        width, room = 210.0 * count + 20, 190.0
        parts = [svg.box(8, 8, width - 16, 66, fill="paper", stroke="grey"), svg.text(18, 26, "this machine", weight="bold"),
                 svg.box(20, 36, width - 40, 28, fill="sky", opacity=0.5), svg.text(30, 54, f"{self.bridge.bridge}  {self.bridge.gateway}")]
        for number, end in enumerate(shown):
            x = 20 + 210.0 * number
            if end.link:
                parts += [svg.line(x + 60, 64, x + 60, 130, stroke="blue", width=2), svg.text(x + 66, 92, end.link), svg.text(x + 66, 124, "eth0")]
            parts += [svg.box(x, 130, room, 58, fill="paper", stroke="red"), svg.text(x + 8, 148, svg.fitted(end.name, room - 16), weight="bold"),
                      svg.text(x + 8, 164, end.address or f"network {end.mode}"), svg.text(x + 8, 180, svg.fitted(" ".join(end.ports), room - 16))]
        if not self.endpoints:
            parts.append(svg.text(20, 150, "no container runs"))
        if len(shown) < len(self.endpoints):
            parts.append(svg.text(20, 208, f"and {len(self.endpoints) - len(shown)} more"))
        return Drawing(svg.picture(width, 200 if len(shown) == len(self.endpoints) else 220, parts, "network of the containers"), self.to_text())

    def to_text(self) -> str:
        rows = [[end.name, end.mode, end.address or "-", end.link or "-", " ".join(end.ports)] for end in self.endpoints]
        return self.bridge.to_text() + (text_table(["CONTAINER", "NETWORK", "ADDRESS", "LINK", "PORTS"], rows) if rows else "no container runs\n")

    def to_html(self) -> str:
        return self.draw().svg


def bridge() -> Bridge:
    """Where containers get their addresses from. Errors: none. Source: network::BridgeConfig.

    >>> import drydock
    >>> drydock.network.bridge().bridge
    'drydock0'
    """
    return Bridge(**_core.subnet())


def topology() -> Topology:
    """Who is connected to what now. Errors: none. Source: Engine::list.

    >>> import drydock
    >>> with drydock.Container("busybox", "sleep 60", network="none", name="alone"):
    ...     [end.mode for end in drydock.network.topology().endpoints if end.name == "alone"]
    ['none']
    """
    ends = []
    for record in _core.containers(False):
        network = record["spec"]["network"]
        ports = tuple(f"{port['host_port']}→{port['container_port']}" for port in network["ports"])
        link = f"drydock{record['id'][:8]}" if network["mode"] == "bridge" else ""
        ends.append(Endpoint(record["name"], network["mode"], record["address"], link, ports))
    return Topology(bridge(), tuple(ends))
