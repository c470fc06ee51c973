# A login at the machine itself, and one over SSH, with shell use; files are copied over it.
words='id; uname -a; ls -la /etc | head -3; ps aux | tail -2; df -h | head -2; wc -l </etc/passwd; grep -r root /etc/passwd; history'
script -qec "bash --login -c '$words; echo ls >>~/.bash_history; vim.tiny --version >/dev/null 2>&1; exit'" /dev/null
mkdir -p /run/sshd
/usr/sbin/sshd -D -o ListenAddress=127.0.0.1 -p 2222 -o UsePAM=no &
sshd=$!
for _ in 1 2 3 4 5; do ssh -o BatchMode=yes -p 2222 root@127.0.0.1 true && break; sleep 0.5; done
printf '%s\n' 'id' 'uname -a' 'ls -la /etc | head -3' 'ps aux | tail -2' 'df -h | head -2' 'wc -l </etc/passwd' 'w' \
    'vim.tiny --version >/dev/null' 'grep -r root /etc/passwd' 'sudo -l' 'mkdir -p work && cd work && git init -q . && git status' \
    'history' 'less /etc/services </dev/null | head -1' 'exit' | ssh -tt -p 2222 root@127.0.0.1
scp -q -P 2222 /etc/services root@127.0.0.1:/srv/services
rsync -a -e 'ssh -p 2222' /etc/pam.d root@127.0.0.1:/srv/
kill $sshd
