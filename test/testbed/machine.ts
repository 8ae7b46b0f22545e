// The QEMU process that is one life of a host: from power on to power off.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { paths } from './bootfiles.ts';
import { Control } from './control.ts';
import type { Plug } from './network.ts';

export interface MachineOptions {
  /** Where its console and QEMU's own words go, and what it sees as /run/testbed. */
  readonly directory: string;
  /** Raw files; the host sees them as /dev/vda, /dev/vdb, … */
  readonly disks: readonly string[];
  readonly systemDisk: string;
  /** What makes it another machine than the next one, also to libvirt. */
  readonly uuid: string;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  /** Where its network card ends; undefined: it has none. */
  readonly plug: Plug | undefined;
}

export interface Machine {
  readonly control: Control;
  /** Settles when QEMU is gone, for whatever reason. */
  readonly exited: Promise<void>;
  /** SIGKILL is a power cut, SIGSTOP freezes it, SIGCONT thaws it. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
}

/** Powers a machine on. It dies with this process, however that ends. */
export function startMachine(options: MachineOptions): Machine {
  const words = openSync(join(options.directory, 'qemu.log'), 'a');
  const command = [...(options.plug?.enter ?? []), 'qemu-system-x86_64', ...qemuArguments(options)];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    stdio: ['ignore', words, words, 'pipe'],
  });
  closeSync(words);
  const control = new Control(channelOf(child));
  const exited = new Promise<void>((resolve) => {
    child.on('error', (error) => {
      control.lose(error);
      resolve();
    });
    child.on('exit', (code, signal) => {
      control.lose(new Error(`its QEMU ended (${signal ?? `status ${code}`})`));
      resolve();
    });
  });
  return { control, exited, signal: (signal) => void child.kill(signal) };
}

/** Descriptor 3 is one end of a socket pair; QEMU has the other as its character device. */
function channelOf(child: ChildProcess): Socket {
  const end = child.stdio[3];
  if (!(end instanceof Socket)) throw new Error('Node made no socket of a pipe in stdio');
  return end;
}

function qemuArguments({ directory, disks, systemDisk, uuid, memory, cpus, plug }: MachineOptions): string[] {
  const share = (tag: string, path: string, options = '') =>
    `local,path=${quoted(path)},mount_tag=${tag},security_model=none,multidevs=remap${options}`;
  // Two hosts may have one file, as a shared LUN: both go through this machine's page cache, so they see the same data.
  // Flushes are left out: what QEMU has written survives its own death, which is all that can happen to it here.
  const drive = (id: string, file: string) =>
    `file=${quoted(file)},file.locking=off,format=raw,if=none,id=${id},cache=unsafe,discard=unmap`;
  const appended = `console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check audit=0 selinux=0 apparmor=0`;
  return [
    ...['-machine', 'q35,usb=off,hpet=off', '-accel', 'tcg,thread=multi,tb-size=1024', '-cpu', 'Nehalem,+rdrand'],
    ...['-smp', String(cpus), '-m', String(memory), '-uuid', uuid],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-kernel', paths.vmlinux, '-initrd', paths.initramfs, '-append', appended],
    ...['-serial', `file:${quoted(join(directory, 'console'))}`],
    ...['-virtfs', share('root', '/', ',readonly=on')],
    ...['-virtfs', share('repository', paths.root, ',readonly=on')],
    ...['-virtfs', share('run', directory)],
    ...['-chardev', 'socket,id=control,fd=3'],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=control,name=sltv.testbed'],
    ...['-drive', drive('system', systemDisk), '-device', 'nvme,drive=system,serial=system'],
    ...disks.flatMap((file, n) => [
      '-drive',
      drive(`disk${n}`, file),
      '-device',
      `virtio-blk-pci,drive=disk${n},serial=disk${n},share-rw=on`,
    ]),
    ...(plug === undefined ? [] : cardArguments(plug)),
  ];
}

function cardArguments({ tap, mac }: Plug): string[] {
  return [
    ...['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net,romfile=,mac=${mac}`],
  ];
}

/** In QEMU's option lists a comma ends a value, two are one. */
function quoted(value: string): string {
  return value.replaceAll(',', ',,');
}
