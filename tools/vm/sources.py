"""Where Debian packages come from: this machine's own mirrors and proxies, for a root of any release.

Nothing of it is written into a file that outlives the run: mirrors are somebody's private matter.

Example: apt_lines("trixie") == ["deb http://deb.debian.org/debian trixie main", ...]
Source: sources.list(5), apt-get indextargets, apt-config(8).
"""
import re
import subprocess

DEBIAN = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"


def mirrors(targets):
    """(main archive, security archive) in lines "URI RELEASE ORIGIN" of `apt-get indextargets`; Debian's own where there is none."""
    found = {}
    for line in targets.splitlines():
        uri, release, origin = (line.split() + ["", "", ""])[:3]
        if origin == "Debian" and not release.endswith(("-updates", "-backports")):
            found.setdefault("security" if release.endswith("-security") else "main", uri.rstrip("/"))
    return found.get("main", DEBIAN), found.get("security", SECURITY)


def apt_lines(release):
    listing = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)", "Created-By: Packages"],
                             capture_output=True, text=True, check=False)
    main, security = mirrors(listing.stdout)
    return [f"deb {main} {release} main", f"deb {main} {release}-updates main", f"deb {security} {release}-security main"]


def apt_options():
    """What this machine needs to reach its mirrors, as options of apt: proxies, and whether the dates of lists are checked."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    return re.findall(r'^(Acquire::(?:(?:http|https)::[^ ]*[Pp]roxy[^ ]*|Check-Date|Check-Valid-Until) ".+";)$', dump, re.MULTILINE)
