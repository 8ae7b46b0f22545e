// Until when the certificates hold that this node and etcd know each other by.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { EtcdLockOptions } from './settings.ts';

export interface Certificate {
  readonly use: string;
  readonly notAfter: Date;
}

/**
 * Of the files as they are now, which is as they are used until the daemon's end. A file that can't be read is somebody else's to
 * refuse, and one that makes no sense to this is left out.
 */
export async function certificatesOf({ tls }: Pick<EtcdLockOptions, 'tls'>): Promise<readonly Certificate[]> {
  const files = { 'etcd-client': tls?.cert, 'etcd-ca': tls?.ca };
  const found = await Promise.all(
    Object.entries(files).map(async ([use, path]) => {
      const text = path === undefined ? '' : await readFile(path, 'utf8').catch(() => '');
      const notAfter = earliestEnd(text);
      return notAfter === undefined ? [] : [{ use, notAfter }];
    }),
  );
  return found.flat();
}

/** Of all certificates in a PEM file; undefined when there is none. */
export function earliestEnd(pem: string): Date | undefined {
  const ends = (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).flatMap((text) => {
    try {
      return [new Date(new X509Certificate(text).validTo)];
    } catch {
      return [];
    }
  });
  return ends.toSorted((a, b) => a.getTime() - b.getTime())[0];
}
