#!/bin/sh
# Start the machine's own systemd in a root of its own: `unshare … sh tools/units/boot.sh FOLDER`, as the first process
# of fresh namespaces. What is written goes to FOLDER/upper; nothing of the machine is changed, no network is reached.
# With more words behind FOLDER those are run in that root instead, on the network of the machine.
set -eu
if [ $$ -ne 1 ]; then
    echo "this is for namespaces of its own: run 'make units'" >&2
    exit 1
fi
folder=$1 root=$1/root
shift
mount -t overlay kerege-units -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    mknod -m 666 "$root/dev/${device% *}" c 1 "${device#* }"
done
mknod -m 666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 pts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
if [ $# -gt 0 ]; then
    cat /etc/resolv.conf >"$root/etc/resolv.conf"    # in a container it is a mount
    exec chroot "$root" "$@"
fi
mount -t sysfs -o ro sys "$root/sys"
mount -t cgroup2 cgroup "$root/sys/fs/cgroup"
ip link set lo up
ip route add 192.0.2.0/24 dev lo    # an address that is not this machine's, to see who may write to it
hostname kerege-units
cd "$root"
mkdir -p before
pivot_root . before
umount -l /before
systemd=/lib/systemd/systemd
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin $systemd --show-status=0 --log-target=journal </dev/null
