// Uploaded files: reserved by getUploadURLExternal, filled by the upload, shown once completed.
import { randomBytes } from 'node:crypto';
import { freshId } from './ids.ts';
import type { Json } from './messages.ts';
import { SlackRefusal } from './refusal.ts';

export interface StoredFile {
  readonly id: string;
  readonly uploadKey: string;
  readonly name: string;
  readonly length: number;
  readonly altText: string | undefined;
  readonly user: string;
  readonly data: Buffer | undefined;
  readonly title: string | undefined;
  readonly completed: boolean;
}

const types: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  yaml: 'text/yaml',
  yml: 'text/yaml',
  json: 'application/json',
  txt: 'text/plain',
};

/** The newest files are kept; a long run forgets the oldest. */
const kept = 300;
export const maxFileBytes = 8 * 1024 * 1024;

export class Files {
  readonly #files = new Map<string, StoredFile>();

  reserve(file: { name: string; length: number; altText?: string | undefined; user: string }): StoredFile {
    if (file.length <= 0 || file.length > maxFileBytes) throw new SlackRefusal('file_upload_size_restricted');
    const stored: StoredFile = {
      id: freshId('F0'),
      uploadKey: randomBytes(18).toString('base64url'),
      name: file.name,
      length: file.length,
      altText: file.altText,
      user: file.user,
      data: undefined,
      title: undefined,
      completed: false,
    };
    this.#files.set(stored.id, stored);
    const oldest = this.#files.size > kept ? this.#files.keys().next().value : undefined;
    if (oldest !== undefined) this.#files.delete(oldest);
    return stored;
  }

  /** Takes the bytes. False if the key is unknown, was used, or the length is not what was announced. */
  upload(uploadKey: string, data: Buffer): boolean {
    const file = [...this.#files.values()].find((one) => one.uploadKey === uploadKey);
    if (!file || file.data || data.length !== file.length) return false;
    this.#files.set(file.id, { ...file, data });
    return true;
  }

  /** Throws file_not_found for an unknown, empty or already completed upload. */
  complete(id: string, title: string | undefined): StoredFile {
    const file = this.#files.get(id);
    if (!file?.data || file.completed) throw new SlackRefusal('file_not_found');
    const done: StoredFile = { ...file, title: title ?? file.name, completed: true };
    this.#files.set(id, done);
    return done;
  }

  /** A file that a person attached: stored at once. */
  attach(name: string, data: Buffer, user: string): StoredFile {
    const reserved = this.reserve({ name, length: data.length, user });
    this.upload(reserved.uploadKey, data);
    return this.complete(reserved.id, undefined);
  }

  find(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }
}

export function mimetypeOf(name: string): string {
  return types[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

/** Slack's file object. `origin` is where the app downloads it, with its bot token. */
export function fileObject(file: StoredFile, origin: string): Json {
  const mimetype = mimetypeOf(file.name);
  const url = `${origin}/files/${file.id}/${encodeURIComponent(file.name)}`;
  return {
    id: file.id,
    name: file.name,
    title: file.title ?? file.name,
    mimetype,
    filetype: file.name.split('.').at(-1) ?? '',
    size: file.length,
    user: file.user,
    mode: mimetype.startsWith('image/') ? 'hosted' : 'snippet',
    alt_txt: file.altText,
    url_private: url,
    url_private_download: url,
  };
}
