// The software bill of materials, in CycloneDX: what is inside the executable and the bundle, and nothing else.
import { execFileSync } from 'node:child_process';

/** What we read and write of CycloneDX. */
export interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

export interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly components?: readonly Component[];
}

/**
 * npm knows each package's licence and checksum; `bundled`, which the build wrote, which of them are inside. npm's own
 * `--omit dev` is not the same: it leaves out what a package of ours brings along and our tests use, too, and keeps what the
 * bundle has no line of.
 */
export function billOfMaterials(root: string, bundled: readonly string[]): Bom {
  const all: Bom = JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1e8,
    }),
  );
  const packages = all.components.filter(({ name, version }) => bundled.includes(`${name}@${version}`));
  const known = packages.map(({ name, version }) => `${name}@${version}`);
  const unknown = bundled.filter((each) => !known.includes(each));
  if (unknown.length > 0) throw new Error(`npm sbom does not know of ${unknown.join(', ')}, which the bundle has`);
  const refs = new Set([all.metadata.component, ...packages].map((component) => component['bom-ref']));
  return {
    ...all,
    metadata: { ...all.metadata, component: { ...all.metadata.component, name: 'sltv' } },
    components: [...packages, nodeInside()],
    dependencies: all.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
  };
}

/** The Node of the executable, with the libraries that it is linked with. */
function nodeInside(): Component {
  const { node, ...libraries } = process.versions;
  const named = Object.entries(libraries).filter(([name, version]) => version && !NUMBERS.includes(name));
  return {
    ...generic('node', node, 'platform'),
    components: named.map(([name, version = '']) => generic(name, version, 'library')),
  };
}

/** Of interfaces and tables of data; not of libraries. */
const NUMBERS = ['modules', 'napi', 'cldr', 'tz', 'unicode'];

function generic(name: string, version: string, type: string): Component {
  const purl = `pkg:generic/${name}@${encodeURIComponent(version)}`;
  return { 'bom-ref': `${name}@${version}`, type, name, version, purl };
}
