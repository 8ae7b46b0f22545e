import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paths } from './bootfiles.ts';
import { type Guest, type Host, testbed } from './index.ts';
import { makeRunDirectory } from './rundir.ts';

const test = suite('test bed');
let host: Host;
let guest: Guest;

test.before(async () => {
  host = await testbed.host({
    name: 'harness',
    disks: ['2G'],
    files: {
      '/etc/sltv/hello': 'hello\n',
      '/usr/local/bin/greet': { text: '#!/bin/sh\ncat /etc/sltv/hello\n', mode: 0o755 },
    },
  });
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('a command gives back its output, status and duration', async () => {
  const result = await host.run('echo out; echo err >&2; exit 3', { allowFailure: true });
  assert.is(result.stdout, 'out\n');
  assert.is(result.stderr, 'err\n');
  assert.is(result.code, 3);
  assert.ok(result.ms > 0 && result.ms < 5_000, `${result.ms}`);
});

test('a command that fails throws its output and where the logs are', async () => {
  const message = await failureOf(host.run('echo nobody expects this; false'));
  assert.match(message, 'nobody expects this');
  assert.match(message, host.directory);
});

test('a command past its time is killed with what it started', async () => {
  assert.match(await failureOf(host.run('sleep 77 & sleep 77', { timeout: 500 })), 'no answer in 500 ms');
  await host.run('while pgrep -f "sleep 77$" > /dev/null; do sleep 0.05; done', { timeout: 10_000 });
});

test('stdin arrives whole, and commands run side by side', async () => {
  const input = Buffer.alloc(1_000_000, 'sltv\n');
  const [counted, first, second] = await Promise.all([
    host.run('wc -c', { input }),
    host.run('mkfifo /tmp/rendezvous; cat /tmp/rendezvous'),
    host.run('until [ -p /tmp/rendezvous ]; do sleep 0.02; done; echo met > /tmp/rendezvous'),
  ]);
  assert.is(counted.stdout.trim(), '1000000');
  assert.is(first.stdout, 'met\n');
  assert.is(second.code, 0);
});

test('a command in the background is read line by line, and killed', async () => {
  const stream = host.start('echo ready; n=0; while sleep 0.1; do n=$((n+1)); echo tick $n; done');
  assert.is(await stream.line(/tick 3/), 'tick 3');
  stream.kill();
  assert.is((await stream.ended).code, 143);
  const lines: string[] = [];
  for await (const line of stream) lines.push(line);
  assert.equal(lines.slice(0, 4), ['ready', 'tick 1', 'tick 2', 'tick 3']);
});

test('given files are there, programs as programs', async () => {
  assert.is((await host.run('greet')).stdout, 'hello\n');
});

test('a logical volume gets its device node through udev', async () => {
  await host.run('vgcreate vg0 /dev/vda');
  await host.run('lvcreate -y -L 256M -n thin vg0');
  await host.run('lvcreate -y -L 64M -n thick vg0');
  await host.run('udevadm info /dev/vg0/thin | grep DM_VG_NAME=vg0');
});

test('a guest writes 10 MiB to qcow2 on a logical volume and reads them again', async () => {
  await host.run('qemu-img create -q -f qcow2 /dev/vg0/thin 1G');
  guest = await host.guest('g1', { disks: [{ path: '/dev/vg0/thin', format: 'qcow2' }] });
  assert.is(await guest.size(), 2n ** 30n);
  await guest.write('10M', { at: '100M', mark: 7 });
  await guest.verify('10M', { at: '100M', mark: 7 });
  assert.match(await failureOf(guest.verify('10M', { at: '100M', mark: 8 })), 'other data');
});

test('a guest sees a disk that is attached while it runs, sees it grow, and lets go of it', async () => {
  await host.run('virsh -q attach-disk g1 /dev/vg0/thick vdb --live --subdriver raw --cache none');
  assert.is(await guest.size('vdb'), 64n * 2n ** 20n);
  await guest.write('2M', { disk: 'vdb' });
  await host.run('lvextend -q -L +64M vg0/thick && virsh -q blockresize g1 vdb 128M');
  assert.is(await guest.size('vdb'), 128n * 2n ** 20n);
  await guest.write('2M', { disk: 'vdb', at: '126M' });

  await guest.ignoreUnplug(true);
  await host.run('virsh -q detach-disk g1 vdb --live', { allowFailure: true });
  assert.ok(await guest.sees('vdb'), 'a guest that ignores the request keeps the disk');
  await guest.ignoreUnplug(false);
  await host.run('while virsh domblklist g1 | grep -q vdb; do sleep 0.1; done');
  assert.not(await guest.sees('vdb'));
  await guest.write('1M');
});

test('a power cut loses what was not synced and nothing else', async () => {
  await host.run(
    'mkdir -p /var/lib/sltv && echo kept > /var/lib/sltv/synced && sync && echo lost > /var/lib/sltv/unsynced',
  );
  const waiting = failureOf(host.run('sleep 60'));
  await host.powerCut();
  assert.match(await waiting, 'the power was cut');
  await host.boot();
  assert.is((await host.run('cat /var/lib/sltv/synced')).stdout, 'kept\n');
  assert.not((await host.run('cat /var/lib/sltv/unsynced', { allowFailure: true })).stdout.includes('lost'));
  assert.is((await host.run('vgs --noheadings -o lv_count vg0')).stdout.trim(), '2');
});

test('a guest is still defined after it, and starts over its old data', async () => {
  await host.run('vgchange -q -ay vg0');
  await guest.start();
  await guest.verify('10M', { at: '100M', mark: 7 });
});

test('a guest whose power button is pressed turns itself off', async () => {
  await guest.shutdown();
  assert.is(await guest.state(), 'shut off');
});

test('a frozen host answers nothing until it is thawed', async () => {
  host.freeze();
  assert.match(await failureOf(host.run('true', { timeout: 300 })), 'no answer');
  host.thaw();
  await host.run('true');
});

test('a host dies with the process that booted it, and leaves no disks', async () => {
  const program = `import { testbed } from ${JSON.stringify(import.meta.resolve('./index.ts'))}; await testbed.host({ name: 'orphan' });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
  const pid = Number(child.pid);
  const qemu = await until(async () => (await childrenOf(pid)).find((one) => isQemu(one)));
  const ended = once(child, 'exit');
  process.kill(pid, 'SIGKILL');
  await ended;
  await until(async () => !isQemu(qemu));
  rmSync(makeRunDirectory('sweeper'), { recursive: true });
  const left = readdirSync(paths.runs).find((name) => name.startsWith(`orphan-${pid}-`)) ?? '';
  assert.not(readdirSync(join(paths.runs, left)).includes('disks'));
});

test.run();

async function childrenOf(pid: number): Promise<number[]> {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function isQemu(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('qemu-system');
  } catch {
    return false;
  }
}

/** Asks again until there is an answer, for 20 s. */
async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await setTimeout(20)) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error('nothing of the kind in 20 s');
}

/** The message that a promise is rejected with. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  assert.unreachable('it should have failed');
  return '';
}
