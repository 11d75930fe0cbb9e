"""Stacks of layers: what lies on what, how large each is, and what an upper layer changed.

Sizes are bytes of file contents. Source: drydock::overlay::Stack (overlay/overlay.hpp); overlayfs.rst of the kernel documentation.
"""
from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from . import svg
from .display import COLOURS, Rich, clean, html_table, size_words

__all__ = ["Change", "Changes", "Layer", "LayerStack", "changes", "stack_of"]

PathText = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True, repr=False)
class Layer(Rich):
    """One directory of a stack."""

    directory: str
    size: int
    files: int
    writable: bool

    def to_text(self) -> str:
        return f"{'upper' if self.writable else 'lower'}  {size_words(self.size):>10}  {self.files:6} files  {self.directory}\n"


@dataclass(frozen=True, repr=False)
class LayerStack(Rich):
    """Layers, the topmost first: the writable one, then those of the image."""

    layers: tuple[Layer, ...]

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def to_text(self) -> str:
        return "".join(layer.to_text() for layer in self.layers)

    def to_html(self) -> str:
        rows = [(("writable layer" if layer.writable else "read-only layer") + " " + Path(layer.directory).name[:12], float(layer.size),
                 f"{size_words(layer.size)}, {layer.files} files") for layer in self.layers]
        return svg.stack(rows, "layers, the topmost first")

    def summary(self) -> str:
        return f"{len(self)} layers, {size_words(sum(layer.size for layer in self))}"


@dataclass(frozen=True, repr=False)
class Change(Rich):
    """`kind` is "added", "changed" or "deleted"."""

    kind: str
    path: str

    def to_text(self) -> str:
        return f"{self.kind:9} {clean(self.path)}\n"


@dataclass(frozen=True, repr=False)
class Changes(Rich):
    """What an upper layer says, in the order of paths. Empty ones are false."""

    changes: tuple[Change, ...]

    def __iter__(self) -> Iterator[Change]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)

    def to_text(self) -> str:
        return "".join(change.to_text() for change in self.changes) or "nothing was changed\n"

    def to_html(self) -> str:
        shades = {"added": COLOURS["green"], "changed": COLOURS["sky"], "deleted": COLOURS["red"]}
        return html_table(["", "path"], [[change.kind, change.path] for change in self.changes], [shades[change.kind] for change in self.changes])

    def summary(self) -> str:
        return f"{len(self)}"


def _walk(top: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(top) as entries:
        for entry in sorted(entries, key=lambda item: item.name):
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))


def _layer(directory: PathText, writable: bool) -> Layer:
    files = [entry.stat(follow_symlinks=False) for entry in _walk(Path(directory)) if not entry.is_dir(follow_symlinks=False)]
    return Layer(str(directory), sum(status.st_size for status in files if stat.S_ISREG(status.st_mode)), len(files), writable)


def stack_of(lowers: Sequence[PathText], upper: PathText | None = None) -> LayerStack:
    """The stack of an upper directory (None: a read-only one) over `lowers`, which come lowest first, as in an image.

    Errors: OSError for what cannot be read. Source: overlay::Stack.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as lower:
    ...     _ = (Path(lower) / "file").write_text("hello")
    ...     [(layer.size, layer.files, layer.writable) for layer in stack_of([lower])]
    [(5, 1, False)]
    """
    top = [_layer(upper, True)] if upper is not None and os.path.isdir(upper) else []
    return LayerStack((*top, *(_layer(directory, False) for directory in reversed(lowers))))


def _is_opaque(path: str) -> bool:
    for name in ("trusted.overlay.opaque", "user.overlay.opaque"):
        try:
            if os.getxattr(path, name, follow_symlinks=False) == b"y":
                return True
        except OSError:
            continue
    return False


def changes(upper: PathText, lowers: Sequence[PathText]) -> Changes:
    """What `upper` adds to, changes in and deletes from `lowers` (lowest first). A deletion is a character device 0:0 or a
    directory that is marked opaque.

    Errors: OSError for what cannot be read. Source: overlayfs.rst, "whiteouts and opaque directories".

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as upper, tempfile.TemporaryDirectory() as lower:
    ...     _ = (Path(upper) / "new").write_text("x")
    ...     [(change.kind, change.path) for change in changes(upper, [lower])]
    [('added', '/new')]
    """
    top = Path(upper)
    found = []
    for entry in _walk(top):
        path = os.path.relpath(entry.path, top)
        below = [directory for directory in lowers if os.path.lexists(os.path.join(directory, path))]
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            found.append(Change("deleted", "/" + path))
        elif not entry.is_dir(follow_symlinks=False):
            found.append(Change("changed" if below else "added", "/" + path))
        elif not below:
            found.append(Change("added", "/" + path))
        elif _is_opaque(entry.path):
            found.append(Change("changed", "/" + path))
    return Changes(tuple(found))
