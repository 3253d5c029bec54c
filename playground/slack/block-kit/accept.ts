// The gate every block passes: refused with Slack's words, or stored with ids filled in.
import { shortId } from '../ids.ts';
import type { Json } from '../messages.ts';
import { SlackRefusal } from '../refusal.ts';
import { inHome, inMessage, inModal } from './blocks.ts';
import { type Check, isRecord, list, object, plainText, string } from './checks.ts';
import { elementsOf, id } from './elements.ts';

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Ids that occur twice: block_id in the whole, action_id within one block. */
function repeatedIds(blocks: readonly Json[], at: string): string[] {
  const problems: string[] = [];
  const seen = new Set<unknown>();
  for (const [index, block] of blocks.entries()) {
    const blockId = block['block_id'];
    if (blockId !== undefined && seen.has(blockId))
      problems.push(`block_id "${text(blockId)}" already exists [json-pointer:${at}/${index}/block_id]`);
    seen.add(blockId);
    const actions = elementsOf(block)
      .map((element) => element['action_id'])
      .filter((one) => one !== undefined);
    const twice = actions.find((one, place) => actions.indexOf(one) !== place);
    if (twice !== undefined) problems.push(`action_id "${text(twice)}" already exists in this block [json-pointer:${at}/${index}]`);
  }
  return problems;
}

function withIds(block: Json): Json {
  const filled = structuredClone(block) as Record<string, unknown>;
  filled['block_id'] ??= shortId();
  for (const element of elementsOf(filled)) element['action_id'] ??= shortId();
  return filled;
}

function refuse(code: string, problems: readonly string[]): never {
  throw new SlackRefusal(code, { messages: problems.map((problem) => `[ERROR] ${problem}`) });
}

function problemsOf(value: unknown, at: string, block: Check, max: number): string[] {
  const problems: string[] = [];
  list(block, 0, max)(value, at, problems);
  if (problems.length === 0) problems.push(...repeatedIds(value as Json[], at));
  return problems;
}

/**
 * Blocks of a message as Slack stores them: block_id and action_id present everywhere.
 * `refusedTypes` lets a test play a workspace that does not know a block yet. Throws `invalid_blocks`.
 */
export function acceptMessageBlocks(value: unknown, max: number, refusedTypes: ReadonlySet<string> = new Set()): readonly Json[] {
  const problems = problemsOf(value, '/blocks', inMessage, max);
  const blocks = Array.isArray(value) ? value.filter(isRecord) : [];
  for (const [index, block] of blocks.entries()) {
    if (refusedTypes.has(String(block['type'])))
      problems.push(`unsupported type: ${String(block['type'])} [json-pointer:/blocks/${index}/type]`);
  }
  const tables = blocks.filter((block) => block['type'] === 'table').length;
  if (tables > 1) refuse('invalid_attachments', ['only_one_table_allowed [json-pointer:/blocks]']);
  if (problems.length > 0) refuse('invalid_blocks', problems);
  return blocks.map(withIds);
}

const viewShape = object(
  { title: plainText(24), blocks: () => undefined },
  {
    submit: plainText(24),
    close: plainText(24),
    callback_id: string(255),
    private_metadata: string(3000),
    external_id: id,
    clear_on_close: (value, at, problems) => {
      if (typeof value !== 'boolean') problems.push(`must be a boolean [json-pointer:${at}]`);
    },
    notify_on_close: () => undefined,
    submit_disabled: () => undefined,
  },
);

const homeShape = object({ blocks: () => undefined }, { callback_id: string(255), private_metadata: string(3000), external_id: id });

/** A Home as given to views.publish: it has no title and is never submitted. Throws `invalid_arguments` with the places. */
export function acceptHome(value: unknown, maxBlocks: number): Json {
  if (!isRecord(value)) throw new SlackRefusal('invalid_arguments', { messages: ['[ERROR] must be an object [json-pointer:/view]'] });
  const problems: string[] = [];
  if (value['type'] !== 'home') problems.push(`unsupported type: ${String(value['type'])} [json-pointer:/view/type]`);
  homeShape(value, '/view', problems);
  problems.push(...problemsOf(value['blocks'], '/view/blocks', inHome, maxBlocks));
  if (problems.length > 0) refuse('invalid_arguments', problems);
  const blocks = Array.isArray(value['blocks']) ? value['blocks'].filter(isRecord) : [];
  return { ...value, blocks: blocks.map(withIds) };
}

/** A modal as given to views.open, with ids filled in. Throws `invalid_arguments` with the places. */
export function acceptView(value: unknown, maxBlocks: number): Json {
  if (!isRecord(value)) throw new SlackRefusal('invalid_arguments', { messages: ['[ERROR] must be an object [json-pointer:/view]'] });
  const problems: string[] = [];
  if (value['type'] !== 'modal') problems.push(`unsupported type: ${String(value['type'])} [json-pointer:/view/type]`);
  viewShape(value, '/view', problems);
  problems.push(...problemsOf(value['blocks'], '/view/blocks', inModal, maxBlocks));
  const blocks = Array.isArray(value['blocks']) ? value['blocks'].filter(isRecord) : [];
  if (blocks.some((block) => block['type'] === 'input') && value['submit'] === undefined) {
    problems.push('missing required field: submit [json-pointer:/view]');
  }
  if (problems.length > 0) refuse('invalid_arguments', problems);
  return { ...value, blocks: blocks.map(withIds) };
}
