"""What the kernel of the operating system refuses to everything in a sandbox.

That is memory that belongs to no process and no file with a name, so that nobody would count it,
and namespaces of one's own, in which one could mount such memory. The filter is a program for
Linux's seccomp, in classic BPF: it loads words of `struct seccomp_data` and compares them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import struct
from collections.abc import Iterator

REFUSED = {  # by machine: its AUDIT_ARCH, its `clone`, and the numbers of what is refused
    "x86_64": (
        0xC000003E,
        56,
        {
            **{"shmget": 29, "mount": 165, "unshare": 272, "setns": 308},
            **{"add_key": 248, "request_key": 249, "keyctl": 250},
            **{"memfd_create": 319, "memfd_secret": 447},
        },
    ),
    "aarch64": (
        0xC00000B7,
        220,
        {
            **{"shmget": 194, "mount": 40, "unshare": 97, "setns": 268},
            **{"add_key": 217, "request_key": 218, "keyctl": 219},
            **{"memfd_create": 279, "memfd_secret": 447},
        },
    ),
}
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
CLONE3 = 435  # its flags are out of sight; without it the C library falls back on clone
CLONE_NEWUSER = 0x10000000
OTHER_CALLS = 0x40000000  # from here on the numbers are those of x32


def program(machine: str) -> bytes:
    """The filter for a machine; for one that is not known, it allows everything."""
    if machine not in REFUSED:
        return _step(RETURN, ALLOW)
    arch, clone, refused = REFUSED[machine]
    refuse, unknown = _step(RETURN, ERRNO | errno.EPERM), _step(RETURN, ERRNO | errno.ENOSYS)
    steps = [_step(LOAD, ARCH), _step(IF_EQUAL, arch, 1, 0), refuse]
    steps += [_step(LOAD, NUMBER), _step(IF_AT_LEAST, OTHER_CALLS, 0, 1), refuse]
    for number in refused.values():
        steps += [_step(IF_EQUAL, number, 0, 1), refuse]
    steps += [_step(IF_EQUAL, CLONE3, 0, 1), unknown]
    steps += [_step(IF_EQUAL, clone, 0, 3), _step(LOAD, FIRST_ARGUMENT)]
    steps += [_step(IF_ANY_BIT, CLONE_NEWUSER, 0, 1), refuse, _step(RETURN, ALLOW)]
    return b"".join(steps)


@contextlib.contextmanager
def opened() -> Iterator[int]:
    """A file descriptor from which bubblewrap reads the filter for this machine."""
    read, write = os.pipe()
    os.write(write, program(platform.machine()))
    os.close(write)
    try:
        yield read
    finally:
        os.close(read)


def _step(code: int, value: int, skip_if: int = 0, skip_else: int = 0) -> bytes:
    """An instruction, and how many of the next ones are skipped if it holds, and if not."""
    return struct.pack("=HBBI", code, skip_if, skip_else, value)
