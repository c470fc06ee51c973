# Configuration that is managed over SSH.
mkdir -p /run/sshd /srv/play
/usr/sbin/sshd -D -o ListenAddress=127.0.0.1 -p 2222 -o UsePAM=no &
sshd=$!
for _ in 1 2 3 4 5; do ssh -o BatchMode=yes -p 2222 root@127.0.0.1 true && break; sleep 0.5; done
cat >/srv/play/site.yaml <<'YAML'
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
LC_ALL=C.UTF-8 ansible-playbook -i /srv/play/hosts /srv/play/site.yaml </dev/null
kill $sshd
