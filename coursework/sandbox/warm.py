"""A warm process: it has imported what notebooks import, and forks kernels into sandboxes.

    python -P warm.py /a/folder/socket

Whoever connects to the socket and sends a line asks for a kernel, and is answered by a line with
the kernel's process id. It ends when its standard input does. No student's code ever runs in this
process, only in its children; and they run none before they have entered a sandbox that bubblewrap
has made, closed every file and given up every right.
"""

import ctypes
import fcntl
import gc
import json
import os
import select
import signal
import socket
import sys

import answers  # noqa: F401 - in the sandbox's own folder, as is `start`
import matplotlib.pyplot  # noqa: F401
import seqdec_lib.book
import seqdec_lib.checks
import seqdec_lib.feedback
import seqdec_lib.language  # noqa: F401
import start
from ipykernel.kernelapp import IPKernelApp

NAMESPACES = ("user", "ipc", "uts", "net", "pid", "mnt")
NS_GET_USERNS = 0xB701  # asks a namespace for the user namespace that it belongs to
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 4, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
SECCOMP_MODE_FILTER = 2
CAPABILITIES = 64  # more than there are
VERSION_3 = 0x20080522  # of the layout of capabilities

system = ctypes.CDLL(None, use_errno=True)


def serve(address: str) -> None:
    """Answer requests until whoever started it has ended."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    gc.collect()
    gc.freeze()  # what is here already stays shared with the children
    call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    print("ready", flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        asked, _ = listener.accept()
        if os.fork() == 0:
            fork_into(asked)
        asked.close()


def fork_into(asked: socket.socket) -> None:
    """Enter the sandbox that is asked for, leave a kernel there, and answer; this process ends."""
    try:
        request = json.loads(asked.makefile().readline())
        enter(request["sandbox"])
        kernel = os.fork()  # only a child is in a process namespace that was entered
        if kernel == 0:
            become_kernel(request)
        answer = str(kernel)
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}".replace("\n", " ")
    asked.sendall(f"{answer}\n".encode())
    os._exit(0)


def become_kernel(request: dict) -> None:
    """Give up everything that came along, and be a student's kernel."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for file in range(3):
            os.dup2(nothing, file)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.environ.clear()
        os.environ.update(request["environment"])
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        for capability in range(CAPABILITIES):
            system.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        start.confine(request["limits"])
        call("capset", (ctypes.c_uint32 * 2)(VERSION_3, 0), (ctypes.c_uint32 * 6)())  # none
        call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # /proc/self is its own, as after an exec
        refuse(bytes.fromhex(request["refused"]))
        IPKernelApp.launch_instance([*start.KERNEL, request["connection"]])
    finally:
        os._exit(1)


def enter(pid: int) -> None:
    """Enter the namespaces of a process, and so its view of files, network and processes."""
    user, *files = (os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in NAMESPACES)
    owner = fcntl.ioctl(files[0], NS_GET_USERNS)  # whoever is not root has rights in there only
    if not os.path.samestat(os.fstat(owner), os.stat("/proc/self/ns/user")):
        call("setns", owner, 0)
    for file in files:
        call("setns", file, 0)
    if not os.path.sameopenfile(user, owner):
        call("setns", user, 0)


def refuse(program: bytes) -> None:
    """Load a filter of system calls for good (`coursework.sandbox.seccomp`)."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]

    loaded = Program(len(program) // 8, program)
    call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(loaded), 0, 0)


def call(name: str, *arguments: object) -> None:
    """Call the operating system; nothing that it refuses goes unseen."""
    if getattr(system, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    serve(sys.argv[1])
