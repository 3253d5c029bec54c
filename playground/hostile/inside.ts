// Rightly signed and hostile all the same: from people and places that may nothing, with texts, values and shapes of nobody's making.
import { ACTION } from '../../src/domain/lifecycle/button.ts';
import type { Random } from '../cilium/random.ts';
import { body, CALLBACKS, CHANGES, commandFields, form, harmless, type Made, type Making, payload, signed } from './making.ts';
import { hostileText, hostileValue, pick } from './texts.ts';

/** Words that no command has, from members; whole commands from outsiders, from other places, and under other names. */
export function commands(making: Making): Made {
  const { known, random } = making;
  const outside = random() < 0.4;
  if (outside) return form(making, commandFields(making, pick(random, known.outsiders), pick(random, CHANGES)));
  const fields = commandFields(making, pick(random, known.members), harmless(random));
  const elsewhere: Readonly<Record<string, string>>[] = [
    { team_id: 'T0EVIL' },
    { api_app_id: 'A0EVIL' },
    { channel_id: pick(random, ['C0EVIL', 'D0EVIL', '', hostileText(random)]) },
    { command: pick(random, ['/deploy', '/', '', '/mesh\u0000', hostileText(random)]) },
  ];
  if (random() < 0.4) return form(making, { ...fields, text: pick(random, CHANGES), ...pick(random, elsewhere) });
  return form(making, fields);
}

/** Buttons with values of nobody's making, from members; open buttons from outsiders, and those that need an approver from members. */
export function clicks(making: Making): Made {
  const { known, random } = making;
  const outside = random() < 0.4;
  const user = pick(random, outside ? known.outsiders : known.members);
  const needs = [ACTION.approve, ACTION.continue, ACTION.adopt, ACTION.restore, ACTION.keep];
  const open = known.values.length > 0 && (outside || random() < 0.3);
  const action = open
    ? pick(random, outside ? Object.values(ACTION) : needs)
    : pick(random, [
        ...Object.values(ACTION),
        'meshops:',
        'meshops:constructor',
        'meshops-place:0',
        'meshops-policy:enforce',
        'meshops-open:canary',
        'x',
      ]);
  const value = open
    ? pick(random, known.values)
    : pick(random, [hostileText(random), '{}', '[]', 'null', '{"w":1}', '{"w":"mesh/../x/y","r":"r","o":"o"}']);
  const place = random() < 0.9 ? { channel: { id: known.channelId, name: 'x' }, message: { ts: '1.1', text: hostileText(random) } } : {};
  const odd = random() < 0.1 ? { value: hostileValue(random) } : {};
  return payload(making, {
    ...body(making, user, 'block_actions'),
    ...place,
    actions: [{ type: 'button', action_id: action, block_id: 'b', value, ...odd }],
  });
}

/** Forms with a memory and fields of nobody's making. */
export function submissions(making: Making): Made {
  const { known, random } = making;
  const metadata = pick(random, [
    hostileText(random),
    '{}',
    'null',
    JSON.stringify({ value: hostileText(random), channelId: known.channelId }),
  ]);
  const values =
    random() < 0.5
      ? { reason: { text: { value: hostileText(random) } }, service: { x: { value: hostileText(random) } } }
      : hostileValue(random);
  const view = {
    id: `V.${making.id}`,
    type: 'modal',
    callback_id: pick(random, CALLBACKS),
    private_metadata: metadata,
    state: { values },
    hash: 'x',
    blocks: [],
  };
  const odd = random() < 0.2 ? { state: hostileValue(random) } : {};
  return payload(making, {
    ...body(making, pick(random, [...known.members, ...known.outsiders]), 'view_submission'),
    view: { ...view, ...odd },
  });
}

/** Somebody types into a field that was never shown. */
export function suggestions(making: Making): Made {
  const { known, random } = making;
  const view = {
    id: 'V',
    callback_id: pick(random, CALLBACKS),
    private_metadata: pick(random, ['{}', hostileText(random)]),
    state: { values: hostileValue(random) },
  };
  const typed = {
    action_id: pick(random, ['meshops-form:service', 'meshops-form:workload', 'meshops-form:x']),
    block_id: 'b',
    value: hostileText(random),
  };
  return payload(making, { ...body(making, pick(random, [...known.members, ...known.outsiders]), 'block_suggestion'), view, ...typed });
}

export function shortcuts(making: Making): Made {
  const { known, random } = making;
  const user = pick(random, [...known.members, ...known.outsiders]);
  const message = random() < 0.5 ? { ts: '1.1', text: hostileText(random), files: hostileValue(random) } : hostileValue(random);
  const type = pick(random, ['message_action', 'shortcut', 'interactive_message', 'dialog_submission', hostileText(random)]);
  return payload(making, {
    ...body(making, user, type),
    callback_id: pick(random, CALLBACKS),
    channel: { id: known.channelId },
    message,
    message_ts: '1.1',
  });
}

export function events(making: Making): Made {
  const { known, random, id } = making;
  const user = pick(random, [...known.members, ...known.outsiders]);
  const at = known.now() / 1000 - (random() < 0.3 ? 4_000 : 0);
  const event = {
    type: pick(random, ['app_mention', 'app_mention', 'app_home_opened', 'message', hostileText(random)]),
    tab: 'home',
    user,
    channel: known.channelId,
    text: `<@U0MESHOPS> ${harmless(random)}`,
    ts: at.toFixed(6),
    ...(random() < 0.3 ? { files: hostileValue(random), bot_id: 'B0EVIL' } : {}),
  };
  const whole = {
    token: 'x',
    team_id: known.teamId,
    api_app_id: known.appId,
    event,
    type: 'event_callback',
    event_id: `E.${id}`,
    event_time: Math.floor(at),
  };
  return signed(
    making,
    JSON.stringify(random() < 0.1 ? { ...whole, type: 'url_verification', challenge: hostileText(random) } : whole),
    'application/json',
  );
}

/** A rightly signed request of an outsider or of no approver, with one place that holds something else. */
export function shapes(making: Making): Made {
  const { known, random } = making;
  const user = pick(random, known.outsiders);
  const click = {
    ...body(making, user, pick(random, ['block_actions', 'view_submission', 'block_suggestion', 'message_action'])),
    channel: { id: known.channelId },
    message: { ts: '1.1', blocks: [] },
    view: { id: 'V', type: 'modal', callback_id: pick(random, CALLBACKS), private_metadata: '{}', state: { values: {} }, blocks: [] },
    actions: [{ type: 'button', action_id: ACTION.status, value: pick(random, [...known.values, '{}']) }],
  };
  return payload(making, spoiled(random, click));
}

/** The value with one leaf or branch replaced. */
function spoiled(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return hostileValue(random);
  if (Array.isArray(value)) return value.map((one, at) => (at === 0 ? spoiled(random, one) : one));
  const keys = Object.keys(value);
  const key = pick(random, keys);
  const { [key]: old, ...rest } = value as Record<string, unknown>;
  return random() < 0.2 ? rest : { ...rest, [key]: spoiled(random, old) };
}
