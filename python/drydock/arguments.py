"""The keyword arguments of a container: one list for run(), plan() and Container, under the names of the C++ Spec.

Sizes are bytes, as a number or as text with a unit ("64M", "1.5g"); times are seconds.
Source: drydock::container::Spec (container/spec.hpp); the values take the forms of docker-run(1).
"""
from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict, TypeVar, Union

from . import _core

__all__ = ["Command", "Options"]

Text = Union[str, "PathLike[str]"]
Texts = Union[str, "PathLike[str]", Sequence[Union[str, "PathLike[str]"]]]
Size = Union[int, str]
# A program and its arguments. A single text is split as a shell would split it, but no shell reads it.
Command = Union[str, Sequence[Union[str, "PathLike[str]"]]]


class Options(TypedDict, total=False):
    """What a container may be asked to be. Every one is optional.

    Errors: TypeError for a value of the wrong kind, ValueError for one that cannot be; both name the argument.

    >>> import drydock
    >>> drydock.plan("busybox", memory="64x")
    Traceback (most recent call last):
    ...
    ValueError: memory='64x': that is no size; give a number of bytes, or one with a unit: 512k, 64m, 1.5g (powers of 1024)
    """

    name: str  # one is made up otherwise
    hostname: str
    entrypoint: Command  # replaces the image's own
    env: Mapping[str, str] | Sequence[str]  # {"NAME": "value"}, or ["NAME=value"]
    working_directory: Text
    user: str | int  # "name", "uid", "name:group"
    remove: bool  # with detach: when it ends, its files go
    init: bool  # a small pid 1 that reaps and forwards
    read_only: bool  # the root file system
    mounts: Texts  # "/here:/there[:ro]", "volume:/there", "type=bind,source=/a,target=/b"
    tmpfs: Texts  # "/run:size=64m,mode=1777"
    labels: Mapping[str, str]
    memory: Size  # bytes
    memory_swap: Size  # bytes of memory plus swap, -1 unlimited
    cpu_shares: int  # 2..262144, usual 1024
    cpus: float  # processors: 0.5 is half of one
    cpuset_cpus: str  # "0-1,3"
    pids: int  # tasks, -1 unlimited
    blkio_weight: int  # 10..1000
    read_bps: Texts  # "/dev/vda:1m": bytes a second
    write_bps: Texts
    read_iops: Texts  # "/dev/vda:100": operations a second
    write_iops: Texts
    network: str  # "bridge", "none", "host", "container:NAME"
    address: str  # IPv4, on the bridge
    dns: Texts
    hosts: Mapping[str, str] | Sequence[str]  # {"db": "10.0.0.2"}
    ports: Texts  # "8080:80", "127.0.0.1:8080:80/udp"
    cap_add: Texts  # "NET_ADMIN", "ALL"
    cap_drop: Texts
    privileged: bool
    no_new_privileges: bool
    seccomp: Text  # "default", "unconfined" or a profile's path
    ulimits: Mapping[str, int | str] | Sequence[str]  # {"nofile": "1024:2048"}
    userns: str  # "host", "auto", "INSIDE:OUTSIDE:COUNT"


F = TypeVar("F", bound=Callable[..., Any])


def with_options(function: F) -> F:
    """Shows every name of Options in help() and in completion, where the signature says **options."""
    signature = inspect.signature(function)
    kept = [parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    types = Options.__annotations__
    extra = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=types[name]) for name in types]

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    wrapped.__signature__ = signature.replace(parameters=[*kept, *extra])  # type: ignore[attr-defined]
    return wrapped  # type: ignore[return-value]


def words_of(command: Command, argument: str = "command") -> list[str]:
    if isinstance(command, str):
        return shlex.split(command)
    if isinstance(command, (bytes, Mapping)) or not isinstance(command, Sequence):
        raise TypeError(f"{argument}: text or a sequence of words is expected, not {type(command).__name__}")
    wrong = [word for word in command if not isinstance(word, (str, PathLike))]
    if wrong:
        raise TypeError(f"{argument}: words are text or paths, not {type(wrong[0]).__name__}")
    return [str(word) for word in command]


def bytes_of(input: bytes | str | None) -> bytes | None:
    if input is None or isinstance(input, bytes):
        return input
    if isinstance(input, str):
        return input.encode()
    raise TypeError(f"input: text or bytes are expected, not {type(input).__name__}")


def seconds_of(argument: str, seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{argument}: seconds are expected, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"{argument}={seconds!r}: a time is not negative")
    return float(seconds)


def spec_of(image: str, command: Command, options: Mapping[str, Any], detach: bool = False) -> _core.Spec:
    """Of a container that belongs to this interpreter: its standard input is given by us, and it goes when it ends. Or a detached one."""
    if not isinstance(image, str):
        raise TypeError(f"image: a name is expected, not {type(image).__name__}")
    values: dict[str, Any] = {**options, "detach": True} if detach else {"remove": True, **options, "interactive": True}
    if isinstance(values.get("entrypoint"), str):
        values["entrypoint"] = words_of(values["entrypoint"], "entrypoint")
    return _core.Spec(image, words_of(command), values)
