// The command line.
import { main } from './core/main.ts';

export const start = (argv: readonly string[], version: string): Promise<void> =>
  main(argv, version, async () => (await import('./local.ts')).local);
