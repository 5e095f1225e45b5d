#!/bin/sh
# Install as docs/operating/start.md says, in the root of tools/units/boot.sh; first take away what else the machine
# would start. The folder is the project's.
set -eu
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if ! grep -q '^kerege-units / overlay ' /proc/mounts; then
    echo "this would empty the machine's own /etc/systemd/system: run 'make units'" >&2
    exit 1
fi
units=/lib/systemd/system
rm -rf /etc/systemd/system/* /lib/systemd/system-generators/* $units/*.wants
mkdir -p $units/sockets.target.wants $units/sysinit.target.wants
for socket in systemd-journald.socket systemd-journald-dev-log.socket; do
    ln -s ../$socket $units/sockets.target.wants/
done
ln -s ../systemd-journald.service ../systemd-tmpfiles-setup.service $units/sysinit.target.wants/
ln -s $units/multi-user.target /etc/systemd/system/default.target
for unit in tmp.mount systemd-udevd.service systemd-logind.service; do ln -s /dev/null /etc/systemd/system/$unit; done
: >/etc/fstab
echo 6b6572656765756e6974736d61636869 >/etc/machine-id

UV_PROJECT_ENVIRONMENT=/opt/kerege .tools/uv-*/uv sync --quiet --locked --no-dev --no-editable
install .tools/cometbft-v0.38.25/cometbft /opt/kerege/bin/cometbft
ln -sf /opt/kerege/bin/kerege /usr/local/bin/kerege
useradd --system --home-dir /var/lib/kerege --shell /usr/sbin/nologin kerege
install -d -m 700 -o kerege -g kerege /var/lib/kerege
for wheel in .tools/native/*.whl; do
    if [ -f "$wheel" ]; then .tools/uv-*/uv pip install --quiet --python /opt/kerege/bin/python "$wheel"; fi
done
cp -r deploy/systemd/kerege-* /etc/systemd/system/
