"""What travels into the guest, as one tar: programs, test programs, the sources that tests read, and the job.

Paths are the same inside and outside, because the test programs have the paths of the build compiled in.

Example: write_payload(Path("payload.tar"), build, suites, ["--only", "unit"], {"DRYDOCK_SLOW": "20"})
Source: tar(5); ctest --show-only=json-v1 in ctest(1).
"""
import io
import json
import shlex
import subprocess
import tarfile

from image import TOP

# Suites that need a compiler, other people's tools or the whole tree stay on the host.
SUITES = ("unit", "kernel", "container", "robustness", "systemd", "chapters")
FOLDERS = ("tools", "tests", "docs", "chapters", "packages.txt")


def listing(build, only):
    """ctest's own list of tests, reduced to the suites `only` (names), which must be among SUITES."""
    text = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"], check=True, capture_output=True, text=True).stdout
    document = json.loads(text)
    document["tests"] = [test for test in document["tests"] if test["name"] in only]
    return document


def programs(build):
    """Test programs and what they start, as far as they are built."""
    names = [f"{suite}_tests" for suite in SUITES] + ["drydock", "drydock-image", "drydock-monitor"]
    return [path for path in (build / "bin" / name for name in names) if path.exists()] + sorted((build / "bin").glob("ch[0-9]*-*"))


def directories(suites):
    """Where ctest starts them."""
    return sorted({entry["value"] for test in suites["tests"] for entry in test.get("properties", [])
                   if entry["name"] == "WORKING_DIRECTORY"})


def add_directory(tar, name):
    entry = tarfile.TarInfo(name.lstrip("/"))
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(entry)


def add_text(tar, name, text):
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))


def plain_owner(entry):
    """Root's, whoever built it; caches of Python stay at home."""
    if "__pycache__" in entry.name:
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def write_payload(path, build, suites, arguments, environment):
    job = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    job += f"TOP={shlex.quote(str(TOP))}\nBUILD={shlex.quote(str(build))}\nARGUMENTS={shlex.quote(shlex.join(arguments))}\n"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for folder in FOLDERS:
            tar.add(TOP / folder, filter=plain_owner)
        for program in programs(build):
            tar.add(program, filter=plain_owner)
        for name in directories(suites):
            add_directory(tar, name)
        add_text(tar, f"{build}/suites.json".lstrip("/"), json.dumps(suites))
        add_text(tar, "drydock-job", job)
