/** Kubernetes label selectors over Cilium labels (`k8s:app=backend`), as Hubble's label filters read them (v1.20.2 pkg/hubble/filters/labels.go). */
export type LabelTest = (labels: readonly string[]) => boolean;

interface Label {
  readonly source: string;
  readonly key: string;
  readonly value: string;
}

function parseLabel(text: string): Label {
  const [name = '', ...value] = text.split('=');
  const colon = name.indexOf(':');
  return { source: colon > 0 ? name.slice(0, colon) : '', key: colon > 0 ? name.slice(colon + 1) : name, value: value.join('=') };
}

/** A wanted key: without a source, or with `any`, it fits every source. */
function fits(wanted: Label, label: Label): boolean {
  return label.key === wanted.key && (wanted.source === '' || wanted.source === 'any' || wanted.source === label.source);
}

function splitTerms(selector: string): readonly string[] {
  const terms: string[] = [];
  let depth = 0;
  let term = '';
  for (const char of selector) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === ',' && depth === 0) {
      terms.push(term);
      term = '';
    } else term += char;
  }
  return [...terms, term].map((part) => part.trim()).filter((part) => part !== '');
}

function parseTerm(term: string): LabelTest {
  const valuesOf = (key: string) => (labels: readonly string[]) => {
    const wanted = parseLabel(key);
    return labels
      .map(parseLabel)
      .filter((label) => fits(wanted, label))
      .map((label) => label.value);
  };
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    const found = valuesOf(key);
    const within = (labels: readonly string[]): boolean => found(labels).some((value) => values.includes(value));
    return operator === 'in' ? within : (labels) => !within(labels);
  }
  const equality = /^([^=!\s]+)\s*(!=|==|=)\s*(\S*)$/.exec(term);
  if (equality) {
    const [, key = '', operator, value = ''] = equality;
    const found = valuesOf(key);
    const equal = (labels: readonly string[]): boolean => found(labels).includes(value);
    return operator === '!=' ? (labels) => !equal(labels) : equal;
  }
  const existence = /^(!?)\s*([^=!\s(),]+)$/.exec(term);
  if (!existence) throw new Error(`invalid label selector: ${term}`);
  const found = valuesOf(existence[2] ?? '');
  return existence[1] === '!' ? (labels) => found(labels).length === 0 : (labels) => found(labels).length > 0;
}

/** A test for one selector; throws on a selector that cannot be read. */
export function labelSelector(selector: string): LabelTest {
  const tests = splitTerms(selector).map(parseTerm);
  return (labels) => tests.every((test) => test(labels));
}
