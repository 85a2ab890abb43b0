"""A lock on a folder that dies with the process that holds it."""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from frazil.errors import DiskError, SettingError

if sys.platform != "win32":
    import fcntl

NOT_SUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)  # some network file systems


@dataclass(slots=True, eq=False)
class FolderLock:
    """A held lock: a file that names its owner, and the system's own lock on that file where there is one.

    The system frees its lock when the owner dies, however it dies. Where a file system or platform has none, the
    owner's process id, start time and boot decide whether it lives. The file is never removed: whoever waited to
    lock the removed one would hold a lock on nothing.
    """

    path: Path
    _descriptor: int | None = field(repr=False)

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the lock or say who has it.

        Raises:
            SettingError: a living process holds it (this one included), or the file can't be made.
            DiskError: the disk is full.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise SettingError(f"{path.parent} can't be locked: {error.strerror}.") from error
        try:
            _claim(descriptor, path)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):
                raise DiskError.of(path, error) from error
            raise
        lock = cls(path, descriptor)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lock.forget)
        return lock

    def release(self) -> None:
        """Let the next one in; twice is fine."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            self.forget()

    def forget(self) -> None:
        """Close the file without freeing it for others: a forked child must not keep its parent's lock alive."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def this_process() -> dict[str, Any]:
    """Say who holds a lock: enough to tell a living process from another that got its number later."""
    pid = os.getpid()
    return {"pid": pid, "started": _started(pid), "boot": _boot(), "host": platform.node()}


def may_live(owner: dict[str, Any]) -> bool:
    """Whether the process that a lock names may still run; on another machine nobody can tell, so it may."""
    pid = owner.get("pid")
    if type(pid) is not int or pid <= 0:
        return False  # an empty file was released; half a line was never a whole owner
    if owner.get("host") != platform.node():
        return True
    if owner.get("boot") != _boot():
        return False
    return _runs(pid) and owner.get("started") in (None, _started(pid))


def system_lock(descriptor: int) -> bool | None:
    """Try the system's lock: taken, held by another, or None where there is no such thing."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in NOT_SUPPORTED:
            return None
        raise
    return True


def _claim(descriptor: int, path: Path) -> None:
    """Write ourselves in as the owner, unless another holds the file."""
    taken = system_lock(descriptor)
    owner = _owner(descriptor)
    if taken is False or (taken is None and may_live(owner)):
        raise SettingError(_refusal(owner, path))
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, json.dumps(this_process()).encode())
    os.fsync(descriptor)


def _refusal(owner: dict[str, Any], path: Path) -> str:
    pid = owner.get("pid", "unknown")
    who = "this process" if pid == os.getpid() else f"process {pid} on {owner.get('host', 'an unknown machine')}"
    return (
        f"{path.parent} is in use by {who} (pid {pid}). Wait for it or take another folder; if it is gone for sure, "
        f"delete {path}."
    )


def _owner(descriptor: int) -> dict[str, Any]:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        owner = json.loads(os.read(descriptor, 4096))
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else {}


def _boot() -> str | None:
    """Identify the boot and the container's own numbering of processes, where the system tells."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115 -- the link leads nowhere
    except OSError:
        return None


def _started(pid: int) -> int | None:
    """Return when a process started, in the kernel's ticks since boot; None where the system does not tell."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _runs(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, the signal that asks would end the process
    fields = _stat(pid)
    if fields:
        return fields[0] not in ("Z", "X")  # dead, and only not yet collected by its parent
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _stat(pid: int) -> list[str]:
    """Return the fields behind the process's name, which may hold spaces and brackets itself."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
