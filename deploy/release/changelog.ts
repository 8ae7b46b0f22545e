// CHANGELOG.md, in the form of https://keepachangelog.com: a section for each version, the newest first.

export interface Section {
  /** `0.2.0`, or `Unreleased`. */
  readonly title: string;
  /** `2026-01-31`; undefined for what is not released. */
  readonly date: string | undefined;
  /** What stands below the heading. */
  readonly text: string;
}

export function sectionsOf(changelog: string): readonly Section[] {
  const [, ...parts] = changelog.split(/^## /m);
  return parts.flatMap((part) => {
    const [heading = '', ...lines] = part.split('\n');
    const match = /^\[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/.exec(heading.trim());
    return match ? [{ title: match[1] ?? '', date: match[2], text: lines.join('\n').trim() }] : [];
  });
}
