"""No arrow upwards: the order of dependencies that docs/architecture.md draws is the order of the #include lines."""
import re
import unittest

import tree

# Lowest first. Folders in one row do not include each other.
ORDER = [
    ["kernel"],
    ["plan"],
    ["process", "namespaces", "security", "cgroups", "network"],
    ["mounts"],
    ["overlay"],
    ["image"],
    ["facts"],
    ["container", "doctor"],
    ["lab"],
]
LEVEL = {folder: level for level, row in enumerate(ORDER) for folder in row}

# Libraries that cost every start of a container time, and the only folder that may use them.
HEAVY = {"archive.h": "image/archive", "archive_entry.h": "image/archive", "openssl/": "image/archive"}


def folder_of(include):
    match = re.match(r"drydock/([^/]+)/", include)
    return match.group(1) if match else None


def allowed(path, include):
    """Whether the core file `path` may include `include`."""
    target = folder_of(include)
    inside = path.relative_to(tree.CORE)
    own = inside.parts[0]
    if target is None:
        return True
    if inside.parts[:2] == ("plan", "executor"):
        # It is built without exceptions and without a heap: the calls themselves, and the vocabulary that it shares with the plan.
        return include in ("drydock/kernel/raw.hpp", "drydock/kernel/process_stat.hpp", "drydock/plan/op.hpp") or include.startswith("drydock/plan/executor/")
    return target == own or LEVEL[target] < LEVEL[own]


class Layers(unittest.TestCase):
    def test_every_folder_has_a_level(self):
        self.assertEqual([folder for folder in tree.core_folders() if folder not in LEVEL], [])

    def test_no_include_points_upwards(self):
        files = tree.sources("src/drydock", suffixes=(".cpp", ".hpp"))
        self.assertGreater(len(files), 10)
        wrong = [f"{tree.name(path)} includes {include}"
                 for path in files for include in tree.includes(path) if not allowed(path, include)]
        self.assertEqual(wrong, [])

    def test_core_headers_are_included_by_their_full_name(self):
        wrong = [f"{tree.name(path)}: {include}" for path in tree.sources("src/drydock", suffixes=(".cpp", ".hpp"))
                 for include in tree.includes(path) if include.startswith(".") or (tree.CORE / include).exists()]
        self.assertEqual(wrong, [])

    def test_heavy_libraries_stay_in_their_room(self):
        wrong = []
        for path in tree.sources("src/drydock", suffixes=(".cpp", ".hpp")):
            for include in tree.includes(path):
                for library, room in HEAVY.items():
                    if include.startswith(library) and not tree.name(path).startswith(f"src/drydock/{room}/"):
                        wrong.append(f"{tree.name(path)} includes {include}")
        self.assertEqual(wrong, [])

    def test_json_stays_out_of_headers(self):
        wrong = [tree.name(path) for path in tree.sources("src/drydock", suffixes=(".hpp",))
                 if any(include.startswith("nlohmann/") for include in tree.includes(path))]
        self.assertEqual(wrong, [])

    def test_the_monitor_stands_on_the_executor_alone(self):
        wrong = [f"{tree.name(path)} includes {include}"
                 for path in tree.sources("apps/drydock-monitor", suffixes=(".cpp", ".hpp")) for include in tree.includes(path)
                 if folder_of(include) and not include.startswith(("drydock/plan/executor/", "drydock/kernel/raw.hpp"))]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
