#!/bin/busybox sh
# Process 1 of a test-bed host: udev and libvirtd; then the agent that takes commands, until it is told to halt. A host with
# systemd gets from here what it has of its own, and then that as process 1.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# As a login gives them; bash and everything else start in half the time when they needn't find these out.
export HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM=dumb LC_ALL=C

grep -q "$(hostname)" /etc/hosts || echo "127.0.1.1 $(hostname)" >> /etc/hosts
# The machine's own sltv, if it has one, is not this host's: once, before the host's own files come.
if [ ! -e /run/testbed/first-boot ]; then
  rm -rf /var/lib/sltv /etc/sltv /etc/libvirt/hooks/qemu.d
  [ -e /run/testbed/systemd ] && sh "$1/systemd.sh" "$1"
  : > /run/testbed/first-boot
fi
if [ -d /run/testbed/files ]; then
  cp -r /run/testbed/files/. /
  # One process, whose words about what is not there (libvirt) keep nobody from booting.
  [ -e /run/testbed/systemd ] && systemctl enable $(cat /run/testbed/systemd)
  sync
  mv /run/testbed/files /run/testbed/files.copied
fi
# Before udevd is there, which would give the card another name.
if [ -e /run/testbed/address ]; then
  modprobe virtio_net
  ip link set eth0 up
  ip addr add "$(cat /run/testbed/address)" dev eth0
fi
[ -e /run/testbed/systemd ] && exec /lib/systemd/systemd
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --subsystem-match=block
if [ -e /run/testbed/portal ]; then
  modprobe -a iscsi_tcp sd_mod
  # A power cut may have left half of what was found at the last boot.
  rm -rf /etc/iscsi/nodes /etc/iscsi/send_targets
  iscsid
  timeout 30 iscsiadm -m discovery -t sendtargets -p "$(cat /run/testbed/portal)" && timeout 30 iscsiadm -m node --login
  udevadm settle
fi
[ -e /run/testbed/libvirt ] && libvirtd -d
cd /root
/usr/bin/python3 -E -S "$1/agent.py"

# Told to halt: as an orderly shutdown does.
others() {
  for process in /proc/[0-9]*; do
    # Kernel threads have no words.
    [ "$process" != /proc/1 ] && [ -n "$(tr '\0' ' ' 2> /dev/null < "$process/cmdline")" ] && return 0
  done
  return 1
}
kill -TERM -1
for _ in 1 2 3 4 5 6 7 8 9 10; do others || break; sleep 0.5; done
sync
echo u > /proc/sysrq-trigger
sleep 0.3
echo o > /proc/sysrq-trigger
sleep 10
