#!/bin/busybox sh
# The first program of the guest: moves to a root that is a mount like any other. The kernel's first one is not: nothing
# can be moved onto it, and no pivot_root leaves it.
B=/bin/busybox
$B mkdir /new
$B mount -t tmpfs -o mode=755 root /new
$B cp -a /root.d/. /new/
exec $B switch_root /new /init
