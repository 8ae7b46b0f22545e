#!/bin/busybox sh
# Once, before a host's own files are there: what its systemd starts is the same on every machine, and no more than the host of
# VMs needs. $1: where this file is.
set -e
rm -rf /etc/systemd/system /etc/fstab
mkdir -p /etc/systemd/system /etc/systemd/system.conf.d /etc/systemd/journald.conf.d

hostname > /etc/hostname
# As installed: a unit may see no home, and the repository may be in one.
repository=$(cat /run/testbed/repository)
rm -f /usr/local/bin/sltv
cp "$repository/dist/sltv" /usr/local/bin/sltv || echo "test bed: $repository/dist/sltv is not built"

# A host in software takes twenty times as long for everything.
cat > /etc/systemd/system.conf.d/testbed.conf << 'X'
[Manager]
DefaultTimeoutStartSec=300
DefaultTimeoutStopSec=120
X
# What was said before a shutdown is read after it.
cat > /etc/systemd/journald.conf.d/testbed.conf << 'X'
[Journal]
Storage=persistent
X
# It takes commands until systemd has stopped all others. When it is told to halt, it takes the host along.
cat > /etc/systemd/system/testbed-agent.service << X
[Unit]
Description=takes commands from the test bed
DefaultDependencies=no
After=systemd-journald.socket
SuccessAction=poweroff

[Service]
Environment=PATH=$PATH HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LC_ALL=C
WorkingDirectory=/root
ExecStart=/usr/bin/python3 -E -S $1/agent.py
OOMScoreAdjust=-1000

[Install]
WantedBy=sysinit.target
X
# Devices that no host of VMs needs take longer than all the rest; as does what asks them, and people, in.
mkdir /etc/systemd/system/systemd-udev-trigger.service.d
cat > /etc/systemd/system/systemd-udev-trigger.service.d/testbed.conf << 'X'
[Service]
ExecStart=
ExecStart=udevadm trigger --action=add --subsystem-match=block
X
rm -f /lib/systemd/system-generators/*
for unit in console-getty.service getty-static.service systemd-logind.service systemd-user-sessions.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-binfmt.service systemd-random-seed.service \
  systemd-sysctl.service systemd-sysusers.service systemd-modules-load.service systemd-tmpfiles-clean.timer \
  kmod-static-nodes.service modprobe@.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount; do
  ln -s /dev/null "/etc/systemd/system/$unit"
done
