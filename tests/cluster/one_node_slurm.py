"""A Slurm of one node on the loopback network, out of a folder: munged, slurmctld and slurmd as ordinary processes of the caller,
which need not be root. They end with the caller, whatever becomes of it."""
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
CONFIGURATION = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=60 State=UP
"""


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    return [program for program in PROGRAMS if not find(program)]


def wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def free_ports(count):
    """Of ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Slurm:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o711)  # munged wants its socket to be within reach
        self.processes = []
        self.environment = {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(64))
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=pwd.getpwuid(os.geteuid()).pw_name, folder=self.folder, ports=free_ports(2)),
            encoding="utf-8")
        files = [f"--{option}={self.folder}/munge.{end}" for option, end in
                 (("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"))]
        self.spawn("munged", "--foreground", "--num-threads=2", *files)
        self.expect((self.folder / "munge.socket").exists, "munged")
        self.spawn("slurmctld", "-D")
        self.spawn("slurmd", "-D")
        self.expect(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T", check=False), "the node")

    def expect(self, condition, what):
        if wait_for(condition, 30):
            return
        logs = "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-1500:]}" for path in self.folder.glob("*.out"))
        raise RuntimeError(f"{what} did not come up\n{logs}")

    def spawn(self, program, *arguments):
        def end_with_the_caller():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with open(self.folder / f"{program}.out", "wb") as output:
            self.processes.append(subprocess.Popen([find(program), *arguments], stdout=output, stderr=output, env=self.environment,
                                                   preexec_fn=end_with_the_caller))

    def call(self, program, *arguments, check=True):
        return subprocess.run([find(program), *arguments], env=self.environment, capture_output=True, text=True, timeout=30,
                              check=check).stdout

    def wait_until_all_is_done(self, seconds):
        return wait_for(lambda: not self.call("squeue", "-h"), seconds)

    def steps(self):
        """The processes that slurmd has started for jobs, which end by themselves soon after these."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if b"slurmstepd" in (entry / "cmdline").read_bytes() and os.fsencode(self.folder) in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def stop(self):
        wait_for(lambda: not self.steps(), 10)
        left = self.steps()
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
