/** Verbs that change the mesh. Each has a folder in src/domain/, a file in workflows/, a folder in activities/ and one entry in VERBS. */
export type VerbName = 'canary';
