#!/usr/bin/env python3
"""Images to and from other tools: skopeo and umoci (and podman, dockerd where they are installed) read what Drydock writes,
and Drydock loads what they write, with equal digests and configurations.

Usage: images_test.py [BIN_DIR]     BIN_DIR has drydock-image (default: $DRYDOCK_BIN_DIR)
A missing tool is said as SKIP; with DRYDOCK_MUST=interop (or all) a missing skopeo or umoci is a failure.
Where neither docker nor podman can be run, their archives are built here in the shape that their sources document.
"""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

BIN_DIR = sys.argv.pop(1) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) else os.environ.get("DRYDOCK_BIN_DIR", "build/bin")
MUST = {"interop", "all"} & set(os.environ.get("DRYDOCK_MUST", "").split(","))
LAYER = "application/vnd.oci.image.layer.v1.tar"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def run(*words, **options):
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit {result.returncode}: {result.stderr.decode(errors='replace')}")
    return result.stdout


def needs(tool, required=True):
    """A decorator: the test runs where `tool` is installed."""
    def wrap(test):
        def guarded(self):
            if shutil.which(tool):
                return test(self)
            print(f"SKIP ({tool} is not installed; apt-get install {tool}): {test.__name__}")
            if required and MUST:
                self.fail(f"{tool} is missing and DRYDOCK_MUST asks for it")
            return None
        guarded.__name__ = test.__name__
        return guarded
    return wrap


def tar_of(entries):
    """A layer: {name: bytes | None for a directory | ("link", target)}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(content, tuple):
                info.type, info.linkname = tarfile.SYMTYPE, content[1]
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


class Interop(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="drydock-interop-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.data = self.path("data")
        self.drydock("ensure-base")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def drydock(self, command, *words):
        return run(os.path.join(BIN_DIR, "drydock-image"), command, "--root", self.data, *words).decode()

    def inspect(self, reference):
        return json.loads(self.drydock("inspect", reference))[0]

    def skopeo(self, *words):
        return run("skopeo", "--insecure-policy", *words)

    def layout(self):
        return f"oci:{self.data}/images:busybox:latest"

    def same_image(self, a, b, manifest):
        """Equal configuration and layers; with `manifest` the very same bytes of the manifest too."""
        a, b = self.inspect(a), self.inspect(b)
        self.assertEqual(a["Id"], b["Id"])
        self.assertEqual(a["RootFS"], b["RootFS"])
        self.assertEqual(a["Config"], b["Config"])
        if manifest:
            self.assertEqual(a["Manifest"], b["Manifest"])

    # --- others read what Drydock writes ---------------------------------------------------------------------------
    @needs("skopeo")
    def test_skopeo_reads_the_store_itself(self):
        seen = json.loads(self.skopeo("inspect", self.layout()))
        ours = self.inspect("busybox")
        self.assertEqual(seen["Digest"], ours["Manifest"])
        self.assertEqual(seen["Layers"], [layer["Digest"] for layer in ours["Layers"]])
        raw = self.skopeo("inspect", "--config", "--raw", self.layout())
        self.assertEqual(sha256(raw), ours["Id"])

    @needs("umoci")
    def test_umoci_unpacks_the_store_itself(self):
        run("umoci", "unpack", "--rootless", "--image", f"{self.data}/images:busybox:latest", self.path("bundle"))
        root = self.path("bundle", "rootfs")
        expected = set()
        for layer in self.inspect("busybox")["Layers"]:
            for parent, directories, files in os.walk(layer["Directory"]):
                expected |= {os.path.relpath(os.path.join(parent, name), layer["Directory"]) for name in directories + files}
        seen = {os.path.relpath(os.path.join(parent, name), root) for parent, directories, files in os.walk(root) for name in directories + files}
        self.assertEqual(seen, expected)
        self.assertGreater(len(seen), 200)
        self.assertEqual(os.readlink(os.path.join(root, "bin/sh")), "/bin/busybox")

    @needs("skopeo")
    def test_skopeo_reads_saved_archives(self):
        self.drydock("save", "-o", self.path("docker.tar"), "busybox")
        self.drydock("save", "--format", "oci", "-o", self.path("oci.tar"), "busybox")
        self.drydock("save", "--format", "oci", "-o", self.path("oci") + "/", "busybox")
        ours = self.inspect("busybox")
        for number, source in enumerate([f"docker-archive:{self.path('docker.tar')}", f"oci-archive:{self.path('oci.tar')}",
                                         f"oci:{self.path('oci')}:busybox:latest"]):
            with self.subTest(source):
                self.skopeo("copy", "-q", source, f"dir:{self.path(str(number))}")
                with open(self.path(str(number), "manifest.json"), "rb") as file:
                    manifest = file.read()
                self.assertEqual(json.loads(manifest)["config"]["digest"], ours["Id"])
                if number > 0:
                    self.assertEqual(sha256(manifest), ours["Manifest"])

    @needs("umoci")
    def test_umoci_lists_and_unpacks_a_saved_layout(self):
        self.drydock("tag", "busybox", "other/name:v1")
        self.drydock("save", "--format", "oci", "-o", self.path("oci") + "/", "busybox", "other/name:v1")
        names = run("umoci", "ls", "--layout", self.path("oci")).decode().split()
        self.assertEqual(sorted(names), ["busybox:latest", "other/name:v1"])
        run("umoci", "unpack", "--rootless", "--image", f"{self.path('oci')}:other/name:v1", self.path("bundle"))
        self.assertTrue(os.path.exists(self.path("bundle", "rootfs", "www", "index.html")))

    # --- Drydock loads what others write ------------------------------------------------------------------------------
    @needs("skopeo")
    def test_archives_of_skopeo(self):
        for name, target, exact in [("a", f"docker-archive:{self.path('a.tar')}:from/a:1", False), ("b", f"oci-archive:{self.path('b.tar')}:from/b:1", True),
                                    ("c", f"oci:{self.path('c')}:from/c:1", True)]:
            with self.subTest(target):
                self.skopeo("copy", "-q", self.layout(), target)
                self.drydock("load", "-i", self.path("c") if name == "c" else self.path(f"{name}.tar"))
                self.same_image("busybox", f"from/{name}:1", exact)

    @needs("skopeo")
    def test_archives_of_skopeo_into_an_empty_store(self):
        self.skopeo("copy", "-q", self.layout(), f"docker-archive:{self.path('a.tar')}:from/a:1")
        self.skopeo("copy", "-q", self.layout(), f"oci-archive:{self.path('b.tar')}:from/b:1")
        before = self.inspect("busybox")
        for name in "ab":
            self.drydock("rm", *self.drydock("ls", "-q").split()[:1])
            self.assertEqual(os.listdir(f"{self.data}/layers"), [])
            self.drydock("load", "-i", self.path(f"{name}.tar"))
            after = self.inspect(f"from/{name}:1")
            self.assertEqual((after["Id"], after["RootFS"]), (before["Id"], before["RootFS"]))
            self.assertEqual(sorted(os.listdir(f"{self.data}/layers")), sorted(digest[7:] for digest in before["RootFS"]["Layers"]))
        self.assertEqual(after["Manifest"], before["Manifest"])

    @needs("skopeo")
    def test_zstd_layers_of_skopeo(self):
        self.skopeo("copy", "-q", "--dest-compress-format", "zstd", "--dest-oci-accept-uncompressed-layers=false",
                    f"docker-archive:{self.saved_docker_archive()}", f"oci:{self.path('z')}:z:1")
        self.drydock("load", "-i", self.path("z"))
        self.assertEqual(self.inspect("z:1")["RootFS"], self.inspect("busybox")["RootFS"])

    def saved_docker_archive(self):
        self.drydock("save", "-o", self.path("docker.tar"), "busybox")
        return self.path("docker.tar")

    @needs("umoci")
    def test_layers_of_umoci_with_whiteouts(self):
        layout = self.path("layout")
        self.drydock("save", "--format", "oci", "-o", layout + "/", "busybox")
        rootless = [] if os.geteuid() == 0 else ["--rootless"]
        run("umoci", "unpack", *rootless, "--image", f"{layout}:busybox:latest", self.path("bundle"))
        root = self.path("bundle", "rootfs")
        os.unlink(os.path.join(root, "etc/hostname"))
        shutil.rmtree(os.path.join(root, "www"))
        with open(os.path.join(root, "added"), "w", encoding="utf-8") as file:
            file.write("by umoci")
        run("umoci", "repack", "--image", f"{layout}:changed", self.path("bundle"))
        self.drydock("load", "-i", layout)
        names = self.drydock("ls", "--no-trunc")
        images = [line.split() for line in names.splitlines()[1:]]
        changed = [image[2] for image in images if image[2] != self.inspect("busybox")["Id"]]
        self.assertEqual(len(changed), 1, names)
        top = self.inspect(changed[0])["Layers"][-1]["Directory"]
        self.assertEqual(os.stat(os.path.join(top, "etc/hostname")).st_rdev, 0)
        self.assertTrue(os.path.exists(os.path.join(top, "added")))
        self.assertTrue(os.lstat(os.path.join(top, "www")).st_mode & 0o020000)

    # --- the documented shapes of docker and podman -----------------------------------------------------------------
    def config(self, layers):
        return json.dumps({"architecture": "amd64", "os": "linux", "created": "2024-01-01T00:00:00Z", "config": {"Cmd": ["true"], "Env": None},
                           "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}, "history": None}).encode()

    def check_loaded(self, reference, config, layers):
        seen = self.inspect(reference)
        self.assertEqual(seen["Id"], sha256(config))
        self.assertEqual(seen["RootFS"]["Layers"], [sha256(layer) for layer in layers])
        self.assertEqual(self.drydock("inspect", "--config", reference).encode(), config + b"\n")

    def test_shape_of_docker_20_10(self):
        """`<id>/{VERSION,json,layer.tar}`, `repositories`, and a link where two layers are equal."""
        layers = [tar_of({"a": b"1"}), tar_of({"a/": None, "b": b"2"}), tar_of({"a": b"1"})]
        config = self.config(layers)
        name = sha256(config)[7:] + ".json"
        entries = {name: config}
        for number, layer in enumerate(layers):
            entries[f"id{number}/"] = None
            entries[f"id{number}/VERSION"] = b"1.0"
            entries[f"id{number}/json"] = b"{}"
            entries[f"id{number}/layer.tar"] = ("link", "../id0/layer.tar") if number == 2 else layer
        entries["manifest.json"] = json.dumps([{"Config": name, "RepoTags": ["legacy:1"], "Layers": [f"id{n}/layer.tar" for n in range(3)]}]).encode()
        entries["repositories"] = b'{"legacy":{"1":"id2"}}'
        with open(self.path("old.tar"), "wb") as file:
            file.write(tar_of(entries))
        self.drydock("load", "-i", self.path("old.tar"))
        self.check_loaded("legacy:1", config, layers)

    def test_shape_of_docker_25(self):
        """An OCI layout with manifest.json beside it; names in io.containerd.image.name, only the tag in ref.name."""
        layers = [tar_of({"a": b"1"})]
        config = self.config(layers)
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                               "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(config), "size": len(config)},
                               "layers": [{"mediaType": LAYER, "digest": sha256(layers[0]), "size": len(layers[0])}]}).encode()
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": sha256(manifest), "size": len(manifest),
            "annotations": {"io.containerd.image.name": "docker.io/library/modern:1", "org.opencontainers.image.ref.name": "1"}}]}
        entries = {"blobs/": None, "blobs/sha256/": None, "index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
                   "manifest.json": json.dumps([{"Config": "blobs/sha256/" + sha256(config)[7:], "RepoTags": ["modern:1"],
                                                 "Layers": ["blobs/sha256/" + sha256(layers[0])[7:]]}]).encode()}
        entries.update({"blobs/sha256/" + sha256(blob)[7:]: blob for blob in (config, manifest, layers[0])})
        with open(self.path("new.tar"), "wb") as file:
            file.write(tar_of(entries))
        self.drydock("load", "-i", self.path("new.tar"))
        self.check_loaded("modern:1", config, layers)
        self.assertEqual(self.inspect("modern:1")["Manifest"], sha256(manifest))

    def test_shape_of_podman_save(self):
        """`<diff id>.tar` at the top, `<id>/layer.tar` as a link to it, names with localhost/."""
        layers = [tar_of({"a": b"1"}), tar_of({"b": b"2"})]
        config = self.config(layers)
        name = sha256(config)[7:] + ".json"
        entries = {sha256(layer)[7:] + ".tar": layer for layer in layers}
        for number, layer in enumerate(layers):
            entries[f"id{number}/layer.tar"] = ("link", f"../{sha256(layer)[7:]}.tar")
        entries[name] = config
        entries["manifest.json"] = json.dumps([{"Config": name, "RepoTags": ["localhost/pod:1"], "Layers": [sha256(layer)[7:] + ".tar" for layer in layers]}]).encode()
        with open(self.path("podman.tar"), "wb") as file:
            file.write(tar_of(entries))
        self.drydock("load", "-i", self.path("podman.tar"))
        self.check_loaded("localhost/pod:1", config, layers)

    # --- podman itself, where it is installed ---------------------------------------------------------------------------
    @needs("podman", required=False)
    def test_podman_load_and_save(self):
        podman = ["podman", "--root", self.path("pod"), "--runroot", self.path("podrun"), "--storage-driver", "vfs"]
        self.addCleanup(subprocess.run, [*podman, "unshare", "rm", "-rf", self.path("pod")] if os.geteuid() else ["true"], check=False)
        for style in ("docker", "oci"):
            with self.subTest(style):
                self.drydock("save", "--format", style, "-o", self.path(f"{style}.tar"), "busybox")
                run(*podman, "load", "-i", self.path(f"{style}.tar"))
                seen = json.loads(run(*podman, "image", "inspect", "busybox:latest"))[0]
                self.assertEqual("sha256:" + seen["Id"], self.inspect("busybox")["Id"])
                run(*podman, "tag", "busybox:latest", f"localhost/{style}:1")
                run(*podman, "save", "--format", f"{style}-archive", "-o", self.path(f"back-{style}.tar"), f"localhost/{style}:1")
                self.drydock("load", "-i", self.path(f"back-{style}.tar"))
                self.same_image("busybox", f"localhost/{style}:1", False)


if __name__ == "__main__":
    unittest.main(verbosity=1)
