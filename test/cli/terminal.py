"""Runs a command on a terminal of its own, types what stands on standard input once the command asks, prints what it shows.

Ends with the line `exit <code>`. Usage: terminal.py <seconds until Ctrl-C, 0 = never> <command> <argument>...
"""
import os
import pty
import select
import sys
import time

patience, command = float(sys.argv[1]), sys.argv[2:]
typed = sys.stdin.buffer.read()
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
started, shown = time.monotonic(), b""
while True:
    ready, _, _ = select.select([terminal], [], [], 0.05)
    if ready:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    if typed and shown.endswith(b": "):
        os.write(terminal, typed)
        typed = b""
    if patience and time.monotonic() - started > patience:
        os.write(terminal, b"\x03")
        patience = 0
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(shown + b"\nexit %d\n" % os.waitstatus_to_exitcode(status))
