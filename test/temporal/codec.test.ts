import { defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from 'vitest';
import { AesGcmCodec, PayloadKeyRefused, parsePayloadKeys } from '../../src/temporal/codec.ts';

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const payload = () => defaultPayloadConverter.toPayload({ who: 'operator@example.com' });

test('a payload comes back as it was, and its content cannot be read in between', async () => {
  const codec = new AesGcmCodec(parsePayloadKeys(NEW));
  const sealed = await codec.encode([payload()]);
  expect(Buffer.from(sealed[0]?.data ?? []).toString('latin1')).not.toContain('operator');
  const [open] = await codec.decode(sealed);
  expect(open && defaultPayloadConverter.fromPayload(open)).toEqual({ who: 'operator@example.com' });
});

test('after a change of keys the old histories stay readable', async () => {
  const sealed = await new AesGcmCodec(parsePayloadKeys(OLD)).encode([payload()]);
  const both = new AesGcmCodec(parsePayloadKeys(`${NEW}, ${OLD}`));
  const [open] = await both.decode(sealed);
  expect(open && defaultPayloadConverter.fromPayload(open)).toEqual({ who: 'operator@example.com' });
  await expect(new AesGcmCodec(parsePayloadKeys(NEW)).decode(sealed)).rejects.toThrow('"old"');
});

test('one changed bit is refused', async () => {
  const codec = new AesGcmCodec(parsePayloadKeys(NEW));
  const [sealed] = await codec.encode([payload()]);
  const data = Buffer.from(sealed?.data ?? []);
  data[20] = (data[20] ?? 0) ^ 1;
  await expect(codec.decode([{ ...sealed, data }])).rejects.toThrow();
});

test.each(['', 'short:AAAA', Buffer.alloc(32).toString('base64'), `${OLD},broken`])(
  'a wrong key is refused without being shown',
  (text) => {
    expect(() => parsePayloadKeys(text)).toThrow(PayloadKeyRefused);
  },
);

test('what is not encrypted is refused, unless that is allowed', async () => {
  await expect(new AesGcmCodec(parsePayloadKeys(NEW)).decode([payload()])).rejects.toThrow('not encrypted');
  expect(await new AesGcmCodec(parsePayloadKeys(NEW), true).decode([payload()])).toEqual([payload()]);
});
