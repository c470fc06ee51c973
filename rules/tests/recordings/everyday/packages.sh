# Packages are made, installed, changed and removed.
make_package() { # NAME VERSION
    local root=/root/pkg/$1-$2
    mkdir -p "$root/DEBIAN" "$root/etc/cron.d" "$root/opt/$1" "$root/etc/logrotate.d"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: u <u@h>\nDescription: a tool\n' "$1" "$2" >"$root/DEBIAN/control"
    printf '#!/bin/sh\nset -e\nuseradd --system --create-home --home-dir /var/lib/%s %s || true\nchown root:root /opt/%s\nchmod 755 /opt/%s/%s\n' \
        "$1" "$1" "$1" "$1" "$1" >"$root/DEBIAN/postinst"
    chmod 755 "$root/DEBIAN/postinst"
    printf '#!/bin/sh\necho %s\n' "$2" >"$root/opt/$1/$1"
    printf '* * * * * root /opt/%s/%s\n' "$1" "$1" >"$root/etc/cron.d/$1"
    printf '/var/log/%s.log {\n rotate 2\n size 1\n missingok\n compress\n postrotate\n /bin/true\n endscript\n}\n' "$1" \
        >"$root/etc/logrotate.d/$1"
    dpkg-deb --root-owner-group -b "$root" "/root/$1-$2.deb"
}
make_package tool 1
make_package tool 2
make_package other 1
apt-get -o APT::Sandbox::User=root install -y /root/tool-1.deb /root/other-1.deb
apt-get -o APT::Sandbox::User=root install -y /root/tool-2.deb
apt-get -o APT::Sandbox::User=root purge -y other
dpkg -l tool
