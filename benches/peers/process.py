"""A contender's process: runs only while it is asked something."""
import os
import pathlib
import shlex
import signal
import subprocess


class Failed(Exception):
    """A contender that could not do what it was asked."""


class Process:
    """Started and stopped at once. Its threads, which may spin while they wait, disturb nobody until it is asked."""

    def __init__(self, name, command, threads, folder):
        self.name, self.log = name, folder / f"{name}.log"
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "PYTHONDONTWRITEBYTECODE": "1",
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        }
        with self.log.open("w") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                                          env=environment, start_new_session=True)
        self.stop()

    def stop(self):
        os.killpg(self.child.pid, signal.SIGSTOP)
        # WNOWAIT leaves the exit of a child that has ended to Popen.
        os.waitid(os.P_PID, self.child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def ask(self, *words):
        """The words of the answer, without the first."""
        os.killpg(self.child.pid, signal.SIGCONT)
        try:
            self.child.stdin.write(" ".join(map(str, words)) + "\n")
            self.child.stdin.flush()
            answer = self.child.stdout.readline().split()
        except BrokenPipeError:
            answer = []
        if not answer or answer[0] == "error":
            why = " ".join(answer[1:]) or "the process ended"
            raise Failed(f"{self.name}: {shlex.join(map(str, words))}: {why} -- see {self.log}")
        self.stop()
        return answer[1:]

    def pin(self, threads):
        """One thread to a core, if it has exactly so many; the others pin what works in them by their own means."""
        tasks = sorted(int(task.name) for task in pathlib.Path(f"/proc/{self.child.pid}/task").iterdir())
        if len(tasks) == threads:
            for task, core in zip(tasks, sorted(os.sched_getaffinity(0))):
                os.sched_setaffinity(task, {core})

    def steps(self, count):
        """Seconds of `count` evaluations."""
        return [float(word) for word in self.ask("step", count)]

    def kill(self):
        """Ends it and whatever it has started."""
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
