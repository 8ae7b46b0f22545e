#!/bin/bash
# Run once, in the host whose system disk all others begin with: configures libvirt for a machine without systemd, lets it
# find out what this QEMU can do, and puts the executable on the path. $1: the repository.
set -eu
ln -sfn "$1/dist/sltv" /usr/local/bin/sltv
mkdir -p /var/lib/testbed/guests
chmod 700 /root
# Nothing here has networks or host devices; looking for them takes libvirtd a second.
rm -f /usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_{interface,network,nodedev,nwfilter}.so
cat > /etc/libvirt/qemu.conf <<'X'
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
set_process_name = 0
X
cat > /etc/libvirt/libvirtd.conf <<'X'
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
log_outputs = "2:file:/run/testbed/libvirtd.log"
X
mkdir -p /etc/libvirt/hooks /var/log/libvirt/qemu /var/lib/libvirt/qemu /var/cache/libvirt/qemu
libvirtd -d
for machine in pc q35; do virsh domcapabilities --machine "$machine" > /dev/null; done
