import type { PatchOperation, Path, Place, TextEdit } from './finding.ts';

/** One document of a file as it was written, before any server prunes it. Whoever reads the text fills this in. */
export interface RawDocument {
  /** Plain JSON values. */
  readonly value: unknown;
  /** Where the entry stands; for one that is missing, the nearest thing around it. */
  readonly placeOf: (path: Path) => Place;
  /** A value as it is written, where that is known: `on`, where it means true. */
  sourceOf?(path: Path): string | undefined;
  /** The patch as an edit of the text, if there is one that gives the same document. A reader may stop giving edits after many. */
  editOf?(patch: readonly PatchOperation[]): TextEdit | undefined;
}
