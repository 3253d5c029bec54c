/** A fenced block of a page: its language, the file it is to be written to (`yaml my-values.yaml`), and its text. */
export interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

/** All fenced blocks of a page of documentation, in order. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language = '', file, text = '']) => ({
    language,
    file,
    text,
  }));
}

/** The page's commands as one script, with its files written where they stand. The first failure ends it, and says which command it was. */
export function scriptOf(blocks: readonly Block[]): string {
  const parts = blocks.flatMap(({ language, file, text }) => {
    if (file !== undefined) return [`cat > ${file} <<'END_OF_FILE'\n${text}END_OF_FILE\n`];
    return language === 'bash' ? [text] : [];
  });
  return `set -euo pipefail\ntrap 'echo "failed: $BASH_COMMAND" >&2' ERR\n${parts.join('\n')}`;
}

/** What is typed in Slack, in order. */
export function typedIn(blocks: readonly Block[]): readonly string[] {
  return blocks.filter(({ language }) => language === 'slack').flatMap(({ text }) => text.trim().split('\n'));
}
