import { EventEmitter } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Session, session } from './session.ts';

const SIZES = 'write a size such as 512M, 10G or 1.5T';
const CREATE = 'sltv disk create NAME [--size SIZE] [--thin] [--thick] [--virtual-size SIZE] [--pool POOL]';

/** What is typed; the sentence; the hint; the code. All of them exit with 2 and ask nothing of the daemon. */
const INVALID: readonly (readonly [typed: string, sentence: string, hint: string, code: string])[] = [
  // Words.
  ['disk crate a', "sltv disk has no verb 'crate'", 'did you mean sltv disk create?', 'unknown-verb'],
  ['disk ls', "sltv disk has no verb 'ls'", 'did you mean sltv disk list?', 'unknown-verb'],
  ['disk rm a', "sltv disk has no verb 'rm'", 'did you mean sltv disk delete?', 'unknown-verb'],
  ['disk att a v', "sltv disk has no verb 'att'", 'did you mean sltv disk attach?', 'unknown-verb'],
  ['pool qwxyz', "sltv pool has no verb 'qwxyz'", 'it has list, show, create, extend', 'unknown-verb'],
  ['disk constructor', "sltv disk has no verb 'constructor'", 'it has create, list', 'unknown-verb'],
  ['disk a create --size 1G', "sltv disk has no verb 'a'", 'did you mean sltv disk create?', 'unknown-verb'],
  ['disk web1 rm', "sltv disk has no verb 'web1'", 'did you mean sltv disk delete?', 'unknown-verb'],
  // Options.
  ['disk create a --siez 5G', 'sltv disk create has no option --siez', 'did you mean --size?', 'unknown-verb'],
  [
    'disk create a --virtual 5G',
    'sltv disk create has no option --virtual',
    'did you mean --virtual-size?',
    'unknown-verb',
  ],
  ['disk list --jsno', 'sltv disk list has no option --jsno', 'did you mean --json?', 'unknown-verb'],
  ['disk create a --no-thin', 'sltv disk create has no option --no-thin', 'sltv disk create --help', 'unknown-verb'],
  ['disk list --__proto__ x', 'sltv disk list has no option --__proto__', 'sltv disk list --help', 'unknown-verb'],
  ['disk create -a --size 1G', 'sltv disk create has no option -a', 'goes after --', 'unknown-verb'],
  ['create-disk a --siez 5G', 'sltv create-disk has no option --siez', 'did you mean --size?', 'unknown-verb'],
  ['disk delete -f a', 'sltv disk delete has no option -f', 'did you mean --force? a name that', 'unknown-verb'],
  ['disk resize a --size 5G', 'sltv disk resize has no option --size', 'did you mean --virtual-size?', 'unknown-verb'],
  ['-v', 'sltv has no option -v', 'did you mean --version?', 'unknown-verb'],
  ['--verbose', 'sltv has no option --verbose', 'sltv --help lists its options', 'unknown-verb'],
  ['disk create a --size', '--size needs a value', '--size SIZE', 'input'],
  ['disk create a --size --thin', '--size needs a value', '--size SIZE', 'input'],
  ['disk create a --size 5G --size 6G', '--size is given 2 times', 'give it once', 'input'],
  ['disk list --pool a --vg b', '--pool is given 2 times', 'give it once', 'input'],
  [
    'disk delete a --force=yes',
    "--force takes no value, and '--force=yes' gives it one",
    'write --force alone',
    'input',
  ],
  ['disk resize a', 'sltv disk resize needs --virtual-size', 'sltv disk resize NAME --virtual-size SIZE', 'input'],
  // Arguments.
  ['disk create --size 5G', 'sltv disk create needs NAME', CREATE, 'input'],
  ['disk attach a', 'sltv disk attach needs VM', 'sltv disk attach DISK VM', 'input'],
  ['pool create p', 'sltv pool create needs DEVICES', 'sltv pool create NAME DEVICES…', 'input'],
  ['disk create a b c --size 5G', "sltv disk create has no use for 'b' and 'c'", CREATE, 'input'],
  ['disk create a 5G', "sltv disk create has no use for '5G'", 'did you mean --size 5G or --virtual-size 5G?', 'input'],
  ['disk extend a 5G', "sltv disk extend has no use for '5G'", 'did you mean --size 5G or --delta 5G?', 'input'],
  ['disk extend a +5G', "sltv disk extend has no use for '+5G'", 'did you mean --delta +5G?', 'input'],
  ['disk resize a 5G', "sltv disk resize has no use for '5G'", 'did you mean --virtual-size 5G?', 'input'],
  ['disk create a --size 10 G', "sltv disk create has no use for 'G'", 'a size is one word, such as 10G', 'input'],
  ['disk create -- a --size 5G', "no use for '--size' and '5G'", 'write the options before it', 'input'],
  ['disk list extra', "sltv disk list has no use for 'extra'", 'sltv disk list [--pool POOL]', 'input'],
  ['create-disk', 'sltv create-disk needs NAME', 'sltv create-disk NAME', 'input'],
  ['hook', 'sltv hook needs NAME', 'sltv hook NAME [ARGS…]', 'input'],
  [
    'init conf --hooks',
    '--hooks writes nothing into conf',
    'sltv init conf, and after that sltv init --hooks',
    'input',
  ],
  ['init --config a.ts', 'sltv init takes a folder, and --config names a file', 'sltv init FOLDER', 'input'],
  // Sizes.
  ['disk create a --size 0', '--size is 0, which asks for nothing', SIZES, 'bad-size'],
  ['disk create a --thin --virtual-size 0', '--virtual-size is 0, which asks for nothing', SIZES, 'bad-size'],
  ['disk extend a --delta 0', '--delta is 0, which asks for nothing', SIZES, 'bad-size'],
  ['disk create a --size 20', '--size is 20 B: was its unit left out?', SIZES, 'bad-size'],
  ['disk create a --size 1.5', '--size is 1 B: was its unit left out?', SIZES, 'bad-size'],
  ['disk extend a --delta 5', '--delta is 5 B: was its unit left out?', SIZES, 'bad-size'],
  ['disk create a --size -5G', "'-5G' is negative, and no size is", SIZES, 'bad-size'],
  ['disk extend a --delta -5G', "'-5G' is negative, and nothing ever shrinks", SIZES, 'bad-size'],
  ['disk create a --size NaN', "'NaN' is not a size", SIZES, 'bad-size'],
  ['disk create a --size 1e3', "'1e3' is not a size", SIZES, 'bad-size'],
  ['disk create a --size=', "'' is not a size", SIZES, 'bad-size'],
  ['disk create a --size 10E', "'10E' is more than any volume can have", 'the largest unit is T', 'bad-size'],
  ['disk create a --size 99999999999T', "'99999999999T' is more than any volume can have", SIZES, 'bad-size'],
  ['disk extend a --size +5G', "'+5G' has a plus, and --size is the size to reach", '--delta', 'bad-size'],
  // What can't go together.
  ['disk create a', 'a disk needs a size', 'sltv disk create a --size SIZE, or', 'input'],
  [
    'disk create a --thin',
    'a thin disk needs --virtual-size',
    'sltv disk create a --thin --virtual-size SIZE',
    'input',
  ],
  ['disk create a --virtual-size 5G', '--virtual-size is for thin disks', '--thin --virtual-size', 'input'],
  ['disk create a --thin --thick --size 5G', 'a disk is thin or thick, and not both', '--thin --virtual-size', 'input'],
  ['disk extend a', 'was given neither --size nor --delta', '--delta 5G adds 5 GiB', 'input'],
  ['disk extend a --size 5G --delta 1G', 'was given both --size and --delta', '--size 20G makes it 20 GiB', 'input'],
  // Everywhere.
  ['disk list --timeout 5', "'5' is not a duration", '30s', 'input'],
  ['disk list --timeout 0s', 'a timeout of 0 leaves no time at all', '30s', 'input'],
  ['disk list --timeout 1000h', 'no timeout is longer than three weeks', '30s', 'input'],
  ['disk list --timeout', '--timeout needs a value', '--timeout DURATION', 'input'],
  ['disk list --config a --config b', '--config is given 2 times', 'give it once', 'input'],
  [
    'disk list --addr kvm1',
    "'kvm1' is not an address of a daemon",
    'such as unix:///run/sltv/sltvd.sock, or HOST:PORT',
    'input',
  ],
  ['disk list --addr unix://run/s', "'unix://run/s' is not an address", 'did you mean unix:///run/s?', 'input'],
];

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

for (const [typed, sentence, hint, code] of INVALID) {
  test(`sltv ${typed}: ${sentence}`, async () => {
    const answer = await shell.type(typed);
    const [first = '', second = '', ...more] = answer.err.split('\n');
    assert.ok(first.startsWith('sltv: ') && first.includes(sentence), first || 'no sentence');
    assert.ok(second.startsWith('hint: ') && second.includes(hint), second || 'no hint');
    assert.ok(second.endsWith(`      [core/${code}]`), second);
    assert.equal(more, ['']);
    assert.is(answer.out, '');
    assert.is(answer.code, 2);
    assert.equal(answer.asked, []);
  });
}

for (const [typed, hint] of [
  ['dsik list', 'did you mean sltv disk?'],
  ['disks', 'did you mean sltv disk?'],
  ['list-disk', 'did you mean sltv list-disks?'],
  ['list disk', 'did you mean sltv disk list?'],
  ['create a', 'did you mean sltv disk create or sltv pool create?'],
  ['rm a', 'did you mean sltv disk delete?'],
  ['rm disk a', 'did you mean sltv disk delete?'],
  ['helo greet', 'did you mean sltv hello?'],
  ['hello gret', 'did you mean sltv hello greet?'],
  ['constructor', 'sltv help lists what there is'],
  ['help qwxyz', 'sltv help lists what there is'],
] as const) {
  test(`sltv ${typed}: ${hint}`, async () => {
    const answer = await shell.type(typed);
    assert.is(answer.code, 2);
    assert.ok(answer.err.includes(`hint: ${hint}      [core/unknown-verb]`), answer.err);
  });
}

for (const [typed, says, hint] of [
  ['--addr http://kvm1:7443', "'http://kvm1:7443' would go without TLS", 'write kvm1:7443, which means TLS'],
  ['--tls-ca x', '--tls-ca is for a daemon on another host, and unix:///', '--addr HOST:PORT'],
  ['--tls-server-name x', '--tls-server-name is for a daemon on another host', '--addr HOST:PORT'],
  [
    '--addr kvm1:7443 --tls-cert x',
    'the certificate x is of no use without its key',
    '--tls-key FILE, or SLTV_TLS_KEY',
  ],
  [
    '--addr kvm1:7443 --tls-key x',
    'the key x is of no use without its certificate',
    '--tls-cert FILE, or SLTV_TLS_CERT',
  ],
] as const) {
  test(`sltv disk list ${typed}: ${says}`, async () => {
    const answer = await shell.type(`disk list ${typed}`);
    assert.ok(answer.err.includes(says), answer.err);
    assert.ok(answer.err.includes(hint), answer.err);
    assert.match(answer.err, '[core/input]');
    assert.is(answer.code, 2);
    assert.equal(answer.asked, []);
  });
}

test('TLS files that are not there are named, wherever they were', async () => {
  const typed = await shell.type('disk list --addr 127.0.0.1:1 --tls-ca /nowhere/ca.pem');
  assert.match(typed.err, "there is no file /nowhere/ca.pem, which is to have the authority's certificate");
  assert.is(typed.code, 2);
  const env = { SLTV_ADDR: '127.0.0.1:1', SLTV_TLS_CERT: '/nowhere/c.pem', SLTV_TLS_KEY: '/nowhere/c.key' };
  assert.match((await shell.type('disk list', { env })).err, 'there is no file /nowhere/c.pem');
});

test('TLS files in the environment mean nothing on a Unix socket', async () => {
  const env = { SLTV_ADDR: shell.daemon.addr, SLTV_TLS_CERT: '/nowhere/c.pem' };
  assert.is((await shell.type('disk list', { env })).code, 0);
});

test('a bad SLTV_TIMEOUT or SLTV_ADDR is named', async () => {
  assert.match((await shell.type('disk list', { env: { SLTV_TIMEOUT: 'soon' } })).err, "SLTV_TIMEOUT is 'soon'");
  assert.match(
    (await shell.type('disk list', { env: { SLTV_ADDR: 'kvm1' } })).err,
    "SLTV_ADDR: 'kvm1' is not an address",
  );
});

test('an empty word, as of a variable that is not set, names no disk', async () => {
  const answer = await shell.type(['disk', 'delete', '']);
  assert.match(
    answer.err,
    'sltv disk delete was given an empty word for NAME\nhint: is a variable of a script not set?',
  );
  assert.is(answer.code, 2);
  assert.equal(answer.asked, []);
});

test('without a daemon the sentence says how to start one', async () => {
  const answer = await shell.type('disk list --addr /nowhere/sltvd.sock');
  assert.match(answer.err, 'sltv: no daemon answers on /nowhere/sltvd.sock\nhint: systemctl start sltv');
  assert.is(answer.code, 10);
});

test("without a daemon an unknown noun may be a plugin's", async () => {
  const answer = await shell.type('hello greet --addr /nowhere/sltvd.sock');
  assert.match(
    answer.err,
    "sltv: sltv itself has no 'hello', and the verbs of plugins need the daemon: no daemon answers",
  );
  assert.match(answer.err, '[core/unknown-verb]');
  assert.is(answer.code, 2);
});

test('the daemon’s refusal is shown with its kind, code and hint', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/CreateDisk', {
    refusal: {
      code: 'resource_exhausted',
      message: 'volume group vg0 has 1 GiB free, 5 GiB are needed',
      info: ['lvm/no-space', 'sltv pool extend vg0 /dev/…'],
    },
  });
  const typed = 'disk create a --size 5G';
  const { err, code } = await own.type(typed);
  assert.is(
    err,
    'sltv: volume group vg0 has 1 GiB free, 5 GiB are needed\nhint: sltv pool extend vg0 /dev/…      [lvm/no-space]\n',
  );
  assert.is(code, 7);
  const json = await own.type(`${typed} --json`);
  assert.equal(JSON.parse(json.err), {
    code: 'lvm/no-space',
    kind: 'exhausted',
    message: 'volume group vg0 has 1 GiB free, 5 GiB are needed',
    hint: 'sltv pool extend vg0 /dev/…',
  });
  assert.is(json.out, '');
  assert.is(json.code, 7);
});

test('an error without a hint has its code behind the sentence', async () => {
  await using own = await session();
  const info = ['core/disk-missing', ''] as const;
  own.daemon.answer('Sltv/GetDisk', { refusal: { code: 'not_found', message: 'there is no disk a', info } });
  const { err, code } = await own.type('disk show a');
  assert.is(err, 'sltv: there is no disk a      [core/disk-missing]\n');
  assert.is(code, 3);
});

test('Ctrl-C ends the wait with 130', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/ListDisks', { silence: true });
  const user = new AbortController();
  const typed = own.type('disk list', { signal: user.signal });
  await own.daemon.next();
  user.abort();
  assert.is((await typed).code, 130);
});

test('an answer that could not be written is no success', async () => {
  const stdout = Object.assign(new EventEmitter(), {
    write: () =>
      setImmediate(() => stdout.emit('error', Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' }))),
  });
  const { code, err } = await shell.type('disk list', { stdout });
  assert.match(err, 'sltv: the answer could not be written: ENOSPC');
  assert.is(code, 7);
});

test('a reader that has gone ends the command quietly', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/ListDisks', { silence: true });
  const stdout = Object.assign(new EventEmitter(), { write: () => true });
  const typed = own.type('disk list', { stdout });
  await own.daemon.next();
  stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  const { code, err } = await typed;
  assert.is(err, '');
  assert.is(code, 0);
});

test.run();
