import { InvalidArgumentError, Option } from 'commander';
import { NODE_COUNTS, type NodeCount } from './addresses.ts';

/** How many real nodes a command starts. */
export function realNodesOption(): Option {
  return new Option('--nodes <n>', `how many real nodes: ${NODE_COUNTS.join(' or ')}`)
    .default(NODE_COUNTS[0])
    .argParser((text): NodeCount => {
      const count = NODE_COUNTS.find((each) => String(each) === text);
      if (count === undefined) throw new InvalidArgumentError(`Write ${NODE_COUNTS.join(' or ')}.`);
      return count;
    });
}
