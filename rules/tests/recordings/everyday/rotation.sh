# Log rotation.
for _ in 1 2 3; do
    for n in 1 2 3; do echo "line $n" >>/var/log/tool.log; done
    logrotate -f -s /var/lib/logrotate/status /etc/logrotate.d/tool
done
find /var/log -name '*.gz' -mtime +30 -delete
