#!/bin/bash
# Everyday business of a machine: what no rule should find worse than worth a note, and seldom that. Run by record.sh.
cd /root || exit 1

# What is for a machine and not for a container: a login over SSH with shell use, and configuration that is managed over it.
if ! grep -q kubepods /proc/self/cgroup; then
    mkdir -p /run/sshd
    /usr/sbin/sshd -D -o ListenAddress=127.0.0.1 -p 2222 -o UsePAM=no &
    sshd=$!
    for _ in 1 2 3 4 5; do ssh -o BatchMode=yes -p 2222 root@127.0.0.1 true && break; sleep 0.5; done
    printf '%s\n' 'id' 'uname -a' 'ls -la /etc | head -3' 'ps aux | tail -2' 'df -h | head -2' 'wc -l </etc/passwd' 'w' \
        'vim.tiny --version >/dev/null' 'grep -r root /etc/passwd' 'sudo -l' 'mkdir -p work && cd work && git init -q . && git status' \
        'history' 'less /etc/services </dev/null | head -1' 'exit' | ssh -tt -p 2222 root@127.0.0.1
    scp -q -P 2222 /etc/services root@127.0.0.1:/srv/services
    rsync -a -e 'ssh -p 2222' /etc/pam.d root@127.0.0.1:/srv/
    mkdir -p /srv/play && cat >/srv/play/site.yaml <<'YAML'
- hosts: all
  gather_facts: true
  tasks:
    - ansible.builtin.copy: {content: "0 1 * * * root /bin/true\n", dest: /etc/cron.d/managed, mode: "0644"}
    - ansible.builtin.copy: {content: "[Service]\nExecStart=/bin/true\n", dest: /etc/systemd/system/managed.service, mode: "0644"}
    - ansible.builtin.lineinfile: {path: /etc/ssh/sshd_config.local, line: "PermitRootLogin no", create: true}
    - ansible.builtin.user: {name: deploy, system: true, create_home: false}
    - ansible.builtin.command: {cmd: /bin/true}
YAML
    printf '127.0.0.1 ansible_port=2222 ansible_user=root ansible_python_interpreter=/usr/bin/python3\n' >/srv/play/hosts
    LC_ALL=C.UTF-8 ansible-playbook -i /srv/play/hosts /srv/play/site.yaml </dev/null >/srv/play/log 2>&1 || tail /srv/play/log
    kill $sshd
fi

# A login at the machine itself, with shell use.
grep -q kubepods /proc/self/cgroup || script -qec "bash --login -c 'id; uname -a; ls -la /etc | head -3; ps aux | tail -2; df -h | head -2; cat /etc/passwd | wc -l; history; echo ls >>~/.bash_history; vim.tiny --version >/dev/null 2>&1; grep -r root /etc/passwd; exit'" /dev/null

# A build.
mkdir -p /root/build && cd /root/build || exit 1
for n in 1 2 3; do printf 'int f%s(void) { return %s; }\n' $n $n >f$n.c; done
printf 'int f1(void), f2(void), f3(void);\nint main(void) { return f1() + f2() + f3() == 6 ? 0 : 1; }\n' >main.c
printf 'all: prog\nprog: f1.o f2.o f3.o main.o\n\tgcc -o $@ $^\ntest: prog\n\t./prog\ninstall: prog\n\tinstall -D prog $(DESTDIR)/opt/prog/bin/prog\n' >Makefile
make -j2 && make test && make install

# Tests, as CI runs them: a repository, temporary files, a server on the loopback.
git init -q . && git -c user.name=u -c user.email=u@h add -A && git -c user.name=u -c user.email=u@h commit -qm one
python3 - <<'PY'
import http.server, os, subprocess, tempfile, threading, urllib.request
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/Makefile").read()
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "x"), "w").write("x")
    subprocess.run(["sh", "-c", f"cp {folder}/x {folder}/y; test -s {folder}/y"], check=True)
PY

# A package is made, installed, changed and removed.
mkdir -p /root/pkg/DEBIAN /root/pkg/etc/cron.d /root/pkg/opt/tool /root/pkg/etc/logrotate.d /root/pkg/lib/systemd/system
printf 'Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: u <u@h>\nDescription: a tool\n' >/root/pkg/DEBIAN/control
printf '#!/bin/sh\nset -e\nuseradd --system --no-create-home tool || true\nchown root:root /opt/tool\nchmod 755 /opt/tool/tool\n' >/root/pkg/DEBIAN/postinst
chmod 755 /root/pkg/DEBIAN/postinst
printf '#!/bin/sh\necho tool\n' >/root/pkg/opt/tool/tool
printf '* * * * * root /opt/tool/tool\n' >/root/pkg/etc/cron.d/tool
printf '/var/log/tool.log {\n rotate 2\n size 1\n missingok\n compress\n postrotate\n /bin/true\n endscript\n}\n' >/root/pkg/etc/logrotate.d/tool
mkdir -p /root/pkg/opt/tool/lib && rm -rf /root/pkg/lib
dpkg-deb --root-owner-group -b /root/pkg /root/tool.deb
apt-get -o APT::Sandbox::User=root install -y /root/tool.deb || dpkg -i /root/tool.deb

# Log rotation.
for n in 1 2 3; do echo "line $n" >>/var/log/tool.log; done
logrotate -f -s /var/lib/logrotate/status /etc/logrotate.d/tool

# A backup.
tar czf /srv/backup.tgz /etc /root/build
tar tzf /srv/backup.tgz | wc -l

# A job of cron's.
cron -f >/dev/null 2>&1 &
cron=$!
sleep 125
kill $cron

# Helpers of every script, whose text stands between its lines.
for _ in 1 2 3; do
    sh -s <<'HERE'
true
HERE
    echo 'print(1)' | python3 -
    sed 's/x/y/' /srv/services | head -n 0 | sh
    git -C /root/build log --format=%h | cat
done
find /srv -name '*.tgz' -mtime -1 -print0 | xargs -0 ls -l
curl -s http://127.0.0.1:1/ || true
openssl rand -hex 8
dpkg -r tool
exit 0
