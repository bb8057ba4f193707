"""A SLURM of this machine alone: munged, slurmctld and slurmd, with all their files in a folder.

Debian's packages slurmctld, slurmd, slurm-client and munge have them. They run as root only.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
IS_INSTALLED = all(map(shutil.which, (*DAEMONS, "sbatch"))) and os.geteuid() == 0
# No cgroups; a requeued job waits for as long as credentials hold, by default two minutes.
CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={control}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,batch_sched_delay=1
ReturnToService=2
KillWait=60
MessageTimeout=60
SlurmdTimeout=600
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start it; the environment by which its commands find it."""
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    control, node = _free_ports(2)
    conf = folder / "slurm.conf"
    conf.write_text(CONF.format(folder=folder, host=host, control=control, node=node))
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    files = {"key": "key", "pid": "pid", "log": "log", "seed": "seed"}
    munge = [f"--{name}-file={folder}/munge.{end}" for name, end in files.items()]
    found = {"SLURM_CONF": str(conf)}
    orders = [
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge],
        ["slurmctld", "-D", "-i"],
        ["slurmd", "-D", "-N", host],
    ]
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for words in orders:
            with open(folder / f"{words[0]}.out", "wb") as said:
                daemons.append(
                    subprocess.Popen(words, stdout=said, stderr=said, env={**os.environ, **found})
                )
            if words[0] == "munged":
                _until((folder / "munge.socket").exists, folder)
        _until(lambda: "idle" in ask(found, "sinfo", "--noheader", "--format=%T"), folder)
        yield found
    finally:
        with suppress(AssertionError):
            ask(found, "scancel", "--me", "--full", "--signal=KILL")
        for daemon in reversed(daemons):
            daemon.terminate()
            daemon.wait(60)


def ask(environment: dict[str, str], *words: str) -> str:
    """What a command of SLURM's says."""
    found = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )
    return found.stdout + found.stderr


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _until(condition: Callable[[], bool], folder: Path) -> None:
    """Wait, two minutes at most; then what the daemons have said is the error."""
    end = time.monotonic() + 120
    while not condition():
        said = {path.name: path.read_text()[-500:] for path in folder.glob("*.out")}
        assert time.monotonic() < end, said
        time.sleep(0.2)
