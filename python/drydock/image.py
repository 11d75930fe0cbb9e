"""Images: what is in the store, the layers and steps that make one, and archives in and out.

Sizes are bytes of the compressed layer blobs. Source: drydock::image::Store (image/store.hpp); OCI image specification 1.1.
"""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

from . import _core, overlay
from .display import Listing, Rich, html_table, size_words

__all__ = ["HistoryEntry", "Image", "find", "history", "images", "import_rootfs", "load_images", "remove", "save_images", "tag"]

PathText = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True, repr=False)
class Image(Rich):
    """One image: its digests, its layers (directories, lowest first), and the configuration that a run takes from it."""

    reference: str
    manifest_digest: str
    config_digest: str
    layer_digests: tuple[str, ...]
    diff_ids: tuple[str, ...]
    layers: tuple[str, ...]
    size: int
    created: str
    config: dict[str, Any]

    @property
    def id(self) -> str:
        """The first digits of the configuration's digest, as Docker shows an image."""
        return self.config_digest.partition(":")[2][:12]

    @property
    def size_words(self) -> str:
        return size_words(self.size)

    @property
    def stack(self) -> overlay.LayerStack:
        """Its unpacked layers with their sizes. Errors: PermissionDenied without root. Source: overlay::Stack."""
        return overlay.stack_of(self.layers)

    @property
    def history(self) -> Listing[HistoryEntry]:
        return history(self.config_digest)

    def _rows(self) -> list[list[str]]:
        command = " ".join([*self.config["entrypoint"], *self.config["command"]])
        return [["reference", self.reference], ["id", self.id], ["created", self.created], ["size", self.size_words],
                ["command", command], ["layers", "\n".join(self.diff_ids)]]

    def to_text(self) -> str:
        return "".join(f"{name:10} {value}\n" for name, value in ((row[0], row[1].replace("\n", "\n" + " " * 11)) for row in self._rows()))

    def to_html(self) -> str:
        return html_table(["", ""], self._rows())


@dataclass(frozen=True, repr=False)
class HistoryEntry(Rich):
    """One step that made an image; `size` bytes, 0 for a step that changed no file."""

    created: str
    created_by: str
    comment: str
    empty_layer: bool
    size: int
    diff_id: str

    def to_text(self) -> str:
        return f"{self.created}  {size_words(self.size):>10}  {self.created_by}\n"


def _image(fields: dict[str, Any]) -> Image:
    return Image(**{**fields, **{name: tuple(fields[name]) for name in ("layer_digests", "diff_ids", "layers")}})


def images() -> Listing[Image]:
    """The images of the store. Errors: none; an empty store is an empty list. Source: Store::list.

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> "busybox:latest" in [image.reference for image in drydock.image.images()]
    True
    """
    return Listing([_image(fields) for fields in _core.images()], {"REFERENCE": "reference", "ID": "id", "CREATED": "created", "SIZE": "size_words"})


def find(reference: str) -> Image:
    """An image by reference or id. Errors: Error with what there is instead. Source: Store::find.

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> drydock.image.find("busybox").config["command"]
    ['sh']
    """
    return _image(_core.image(reference))


def history(reference: str) -> Listing[HistoryEntry]:
    """The steps that made an image, the first one first. Errors: Error for no such image. Source: Store::history.

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> len(drydock.image.history("busybox")) > 0
    True
    """
    return Listing([HistoryEntry(**fields) for fields in _core.history(reference)], {"CREATED BY": "created_by", "BYTES": "size", "COMMENT": "comment"})


def load_images(path: PathText, name: str = "") -> tuple[str, ...]:
    """Reads an archive of docker save, podman save or skopeo, or an OCI layout; what the images are called now.

    Errors: Error with a sentence for what is hostile, damaged or unknown; nothing of it stays. Source: image::load_images.

    >>> import drydock, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".tar") as file:
    ...     drydock.image.save_images("busybox", file.name)
    ...     drydock.image.load_images(file.name)
    ('busybox:latest',)
    """
    return tuple(_core.load(os.fspath(path), name))


def import_rootfs(path: PathText, reference: str = "", changes: Sequence[str] = (), message: str = "") -> str:
    """A root file system (tar) becomes an image of one layer. `changes`: Dockerfile instructions, 'CMD ["sh"]'. Its name.

    Errors: as load_images(). Source: image::import_rootfs; docker-import(1).

    >>> import drydock, io, tarfile, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".tar") as file:
    ...     with tarfile.open(file.name, "w") as archive: archive.addfile(tarfile.TarInfo("empty"))
    ...     drydock.image.import_rootfs(file.name, "nothing:1")
    'nothing:1'
    """
    return _core.import_rootfs(os.fspath(path), reference, list(changes), message)


def save_images(references: str | Sequence[str], path: PathText, oci: bool = False) -> None:
    """Writes images as the archive that docker, podman and skopeo load; `oci`: as an OCI layout instead.

    Errors: Error for an unknown image or a full disk; nothing is left then. Source: image::save_images.

    >>> import drydock, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     drydock.image.save_images("busybox", folder + "/busybox.tar")
    ...     os.listdir(folder)
    ['busybox.tar']
    """
    _core.save([references] if isinstance(references, str) else list(references), os.fspath(path), oci)


def tag(source: str, target: str) -> None:
    """One more name for an image; both have the same id. Errors: Error for an unknown image or a bad name. Source: Editor::tag.

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> drydock.image.tag("busybox", "harbour:1")
    >>> drydock.image.find("harbour:1").id == drydock.image.find("busybox").id
    True
    """
    _core.tag(source, target)


def remove(reference: str) -> tuple[str, ...]:
    """Removes a name, and with the last name of an image the layers that no other image and no container needs. What was done, a line each.

    Errors: Error for an unknown image, and for an id with several names. Source: Editor::remove.

    >>> import drydock
    >>> _ = drydock.run("busybox", "true", network="none")
    >>> drydock.image.tag("busybox", "spare:1")
    >>> drydock.image.remove("spare:1")
    ('Untagged: spare:1',)
    """
    return tuple(_core.remove_image(reference))
