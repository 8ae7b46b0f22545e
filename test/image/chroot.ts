// Does the steps of a Dockerfile in a folder with Debian in it, and runs what came of them there: no engine is needed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa, type Options } from 'execa';
import type { Stage, Step } from './dockerfile.ts';

const ROOT = join(import.meta.dirname, '../..');
const CACHE = join(ROOT, '.cache/image');
const MINUTES = 60_000;

/** A path here, and where it is seen there. */
type Mount = readonly [here: string, there: string];

/** What stands for an image that a stage begins with: Debian's own packages, and what it has besides. */
interface Base {
  readonly mounts: readonly Mount[];
  readonly links?: Readonly<Record<string, string>>;
}

const BASES: Readonly<Record<string, Base>> = {
  'debian:bookworm-slim': { mounts: [] },
  'node:24-bookworm-slim': {
    // This project's Node and npm; and its packages, so that npm finds them installed.
    mounts: [
      [process.execPath, '/usr/local/bin/node'],
      [npmHere(), '/usr/local/lib/node_modules/npm'],
      [join(ROOT, 'node_modules'), '/src/node_modules'],
    ],
    links: { '/usr/local/bin/npm': '../lib/node_modules/npm/bin/npm-cli.js' },
  },
};

export interface Image {
  /** Its folder. */
  readonly path: string;
  readonly stage: Stage;
  /** Runs a line by its shell, with nothing of our environment; `folder` is where it stands. */
  sh(line: string, options?: { readonly folder?: string; readonly timeout?: number }): Promise<Said>;
}

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A stage up to its first COPY. It depends on nothing of ours, so it is kept for the next time, as an engine would. Takes the
 * network and some minutes where it is not there yet.
 */
export async function begun(stage: Stage): Promise<Image> {
  const path = join(CACHE, stage.name);
  const early = stage.steps.slice(0, indexOfCopy(stage));
  const stamp = createHash('sha256')
    .update(JSON.stringify([stage.base, early]))
    .digest('hex');
  const stampFile = `${path}.stamp`;
  const { mounts, links = {} } = BASES[stage.base] ?? {};
  if (mounts === undefined) throw new Error(`there is nothing here that stands for the image ${stage.base}`);
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
    const base = await debian();
    rmSync(stampFile, { force: true });
    await execa('rm', ['-rf', '--one-file-system', path]);
    await execa('cp', ['-a', base, path]);
    for (const [link, target] of Object.entries(links)) symlinkSync(target, join(path, link));
    const folder = await doSteps(imageAt(path, stage, mounts), early, '/', () => {
      throw new Error('nothing is copied before the first COPY');
    });
    writeFileSync(join(path, '.workdir'), folder);
    writeFileSync(stampFile, stamp);
  }
  return imageAt(path, stage, mounts);
}

/** The rest of it. `context` is copied from, and `earlier` are stages that COPY may name. */
export async function finished(image: Image, context: string, earlier: readonly Image[]): Promise<void> {
  const { stage, path } = image;
  const folder = readFileSync(join(path, '.workdir'), 'utf8');
  await doSteps(image, stage.steps.slice(indexOfCopy(stage)), folder, (from, to, name) => {
    const source = name === undefined ? context : earlier.find(({ stage }) => stage.name === name)?.path;
    if (source === undefined) throw new Error(`no stage ${name} stands before ${stage.name}`);
    cpSync(join(source, from), join(path, to), { recursive: true, force: true });
  });
}

function indexOfCopy({ steps }: Stage): number {
  const index = steps.findIndex(({ keyword }) => keyword === 'COPY');
  return index < 0 ? steps.length : index;
}

/** The words of ENTRYPOINT and CMD. */
export function commandOf({ steps }: Stage): readonly string[] {
  const words = (keyword: string) => steps.findLast((step) => step.keyword === keyword)?.text ?? '[]';
  return [...JSON.parse(words('ENTRYPOINT')), ...JSON.parse(words('CMD'))];
}

type Copy = (from: string, to: string, stage: string | undefined) => void;

/** The folder in which the last of them stood. */
async function doSteps(image: Image, steps: readonly Step[], start: string, copy: Copy): Promise<string> {
  let folder = start;
  for (const { keyword, text, flags } of steps) {
    if (keyword === 'WORKDIR') {
      folder = join(folder, text);
      mkdirSync(join(image.path, folder), { recursive: true });
    } else if (keyword === 'RUN') {
      const { code, stdout, stderr } = await image.sh(text, { folder, timeout: 20 * MINUTES });
      if (code !== 0) throw new Error(`RUN ${text} ended with ${code}: ${stdout}${stderr}`);
    } else if (keyword === 'COPY') {
      const [from = '', to = ''] = text.split(/\s+/);
      copy(from, to.startsWith('/') ? to : join(folder, to), flags.from);
    } else if (!SAID_ONLY.includes(keyword)) throw new Error(`${keyword} is a step that nothing here can do`);
  }
  return folder;
}

/** What only says how the image is run. */
const SAID_ONLY = ['USER', 'STOPSIGNAL', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];

function imageAt(path: string, stage: Stage, mounts: readonly Mount[]): Image {
  const sh: Image['sh'] = async (line, { folder = '/', timeout = MINUTES } = {}) => {
    const options: Options = {
      ...{ reject: false, stdin: 'ignore', stripFinalNewline: false, extendEnv: false, timeout },
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive' },
    };
    const done = await execa('unshare', insideOf(path, mounts, line, folder), options);
    return { code: done.exitCode ?? -1, stdout: String(done.stdout), stderr: String(done.stderr) };
  };
  return { path, stage, sh };
}

/** With mounts and processes of its own, which end with it. */
function insideOf(path: string, mounts: readonly Mount[], line: string, folder = '/'): readonly string[] {
  const seen: readonly Mount[] = [['/dev', '/dev'], ['/etc/resolv.conf', '/etc/resolv.conf'], ...mounts];
  const binds = seen.filter(([here]) => existsSync(here)).map(([here, there]) => bind(here, join(path, there)));
  const script = [
    'set -e',
    'mount --make-rprivate /',
    `mount -t proc proc '${path}/proc'`,
    ...binds,
    `exec chroot '${path}' /bin/sh -c 'cd "$0" && eval "$1"' '${folder}' "$1"`,
  ].join('\n');
  return ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', line];
}

function bind(here: string, there: string): string {
  const place = statSync(here).isDirectory() ? `mkdir -p '${there}'` : `mkdir -p '${dirname(there)}'; touch '${there}'`;
  return `${place}; mount --bind '${here}' '${there}'`;
}

/** The folder of this machine's npm. */
function npmHere(): string {
  const program =
    process.env.npm_execpath ?? execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' });
  return dirname(dirname(program.trim()));
}

/** A minimal Debian 12, made of its packages once. */
async function debian(): Promise<string> {
  const path = join(CACHE, 'debian');
  if (existsSync(path)) return path;
  const workshop = `${path}.new`;
  mkdirSync(CACHE, { recursive: true });
  await execa('rm', ['-rf', '--one-file-system', workshop]);
  const options = ['--mode=root', '--variant=minbase', '--skip=check/qemu'];
  await execa('mmdebstrap', [...options, 'bookworm', workshop], { timeout: 20 * MINUTES, stdin: 'ignore' });
  renameSync(workshop, path);
  return path;
}
