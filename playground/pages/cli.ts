import type { Argument, Command, Option } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { AREAS, VERBS } from '../../src/domain/commands/verbs.ts';

/** docs/cli.md, out of the definitions of the commands themselves. */
export const CLI_PAGE = 'docs/cli.md';

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

function optionRow(option: Option): string {
  const notes = [
    option.argChoices ? `one of ${option.argChoices.map(code).join(', ')}` : '',
    option.defaultValue !== undefined && !(Array.isArray(option.defaultValue) && option.defaultValue.length === 0)
      ? `default ${code(String(option.defaultValue))}`
      : '',
    option.mandatory ? 'required' : '',
  ].filter(Boolean);
  return `| ${code(option.flags)} | ${[option.description, ...notes].join('; ')} |`;
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function commandText(command: Command, before: string): string {
  const name = `${before} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.map((one) => commandText(one, name)).join('\n');
  const usage = [name, ...command.registeredArguments.map(argumentText), ...(command.options.length > 0 ? ['[options]'] : [])].join(' ');
  const described = command.registeredArguments.filter(({ description }) => description);
  const rows = [
    ...described.map((argument) => `| ${code(argumentText(argument))} | ${argument.description} |`),
    ...command.options.map(optionRow),
  ];
  const table = rows.length === 0 ? '' : `\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  return `### ${name}\n\n${sentence(command.description())}\n\n\`\`\`\n${usage}\n\`\`\`\n${table}`;
}

function slackText(): string {
  return VERBS.map(({ name, grammar, summary, help, examples }) => {
    const area = AREAS.find((one) => name.startsWith(`${one} `));
    const slash = area ? `/${area}` : '/mesh';
    const behind = (text: string): string => (area ? text.slice(area.length + 1) : text);
    const shown = examples.map((example) => `${slash} ${behind(example)}`);
    const more = help.length > 0 ? `\n${help.map((one) => `- ${one}`).join('\n')}\n` : '';
    return `### ${slash} ${behind(name)}\n\n${summary}\n\n\`\`\`\n${slash} ${behind(grammar)}\n\`\`\`\n${more}\nSuch as: ${shown.map(code).join(', ')}\n`;
  }).join('\n');
}

/** The page's text. */
export function cliPage(): string {
  const program = createProgram(() => Promise.resolve());
  return `# Commands

Written by \`npm run pages\` out of the definitions of the commands; a test fails while it is not current.

## On the command line

In the image: \`node src/main.ts …\`; in a checkout: \`npm run meshops -- …\`. Every command ends with 0 when all is well, and 1 with one sentence on stderr
otherwise. Secrets come from the environment: [configuration](configuration.md#secrets).

${program.commands.map((one) => commandText(one, 'meshops')).join('\n')}
## In Slack

The names of the slash commands are settings (\`slack.commands\`); where the bot is mentioned instead, the words behind it are the same.

${slackText()}`;
}
