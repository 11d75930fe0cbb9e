"""The package in one page; mypy --strict reads it, and the tests run it."""
from __future__ import annotations

import drydock


def smallest_limit(candidates: list[int]) -> int | None:
    """The first of these limits (MiB) under which busybox can write 8 MiB into memory."""
    for mebibytes in candidates:
        outcome = drydock.run("busybox", ["sh", "-c", "head -c 8m /dev/zero | tail -c 8m | wc -c"], network="none",
                              memory=f"{mebibytes}M", memory_swap=f"{mebibytes}M")
        if outcome.ok and not outcome.out_of_memory:
            return mebibytes
    return None


def main() -> None:
    plan: drydock.Plan = drydock.plan("busybox", "true", memory="64M", env={"WHO": "me"})
    print(len(plan), "steps in the lanes", ", ".join(plan.lanes))
    with drydock.Container("busybox", ["sleep", "60"], network="none", hostname="dock") as container:
        print(container.exec("hostname").stdout.strip(), "has", len(container.mounts), "mounts")
        difference = drydock.facts.diff(None, container)
        print(len(difference), "facts differ; namespaces:", sorted(change.name for change in difference if change.group == "namespaces"))
    print("enough memory:", smallest_limit([6, 64]), "MiB")


if __name__ == "__main__":
    main()
