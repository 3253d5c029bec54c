// The product's workflow over a list of verbs that has one more.
import { VERB_RECORDS } from '../../src/domain/verb.ts';
import { FAKE_VERB } from './fake-verb.ts';

Object.assign(VERB_RECORDS, { fake: FAKE_VERB });

export { default } from '../../workflows/index.ts';
