# A backup, which takes all of the configuration, and a look whether it is whole.
tar czf /srv/backup.tgz /etc /root/build
tar tzf /srv/backup.tgz | wc -l
rsync -a --delete /etc /root/build /var/lib/tool /srv/mirror/
find /srv -name '*.tgz' -mtime -1 -print0 | xargs -0 ls -l
sha256sum /srv/backup.tgz >/srv/backup.sum
