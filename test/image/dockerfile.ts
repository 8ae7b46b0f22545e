// A Dockerfile's stages and their steps.
import { readFileSync } from 'node:fs';
import { DockerfileParser, ModifiableInstruction } from 'dockerfile-ast';

export interface Step {
  readonly keyword: string;
  /** `--from=build` is `{ from: 'build' }`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What stands behind keyword and flags, on one line. */
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  /** The image that it begins with. */
  readonly base: string;
  readonly steps: readonly Step[];
}

export function stagesOf(path: string): readonly Stage[] {
  const stages: { name: string; base: string; steps: Step[] }[] = [];
  for (const instruction of DockerfileParser.parse(readFileSync(path, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((word) => word.getValue());
    const text = (instruction.getRawArgumentsContent() ?? '').replace(/\\\n\s*/g, '');
    const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
    const named = Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? '']));
    if (keyword === 'FROM') stages.push({ name: words[2] ?? 'final', base: words[0] ?? '', steps: [] });
    else stages.at(-1)?.steps.push({ keyword, flags: named, text });
  }
  return stages;
}
