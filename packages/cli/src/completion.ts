/**
 * Completion scripts, made from the tree of commands. All three go the same
 * way: the words that are there lead to a command; after an option with a value
 * its choices, files or folders are offered, else what may follow the command:
 * commands inside it, the choices of its arguments, and options once a dash is
 * typed.
 */

import type { Command, Option } from "commander";

export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

/** What may follow one command. */
interface Node {
  /** Such as `carillon topic list`. */
  readonly path: string;
  /** Commands inside it, and the choices of its arguments. */
  readonly words: readonly string[];
  readonly options: readonly string[];
  /** Of options with a value. */
  readonly values: readonly ValueRule[];
}

interface ValueRule {
  /** Such as `-o` and `--output`. */
  readonly names: readonly string[];
  /** Absent: anything may be typed. */
  readonly choices?: readonly string[];
  readonly kind: "choices" | "files" | "folders" | "text";
}

/** A script for a shell, to be read by it. */
export function writeCompletion(shell: Shell, program: Command): string {
  const nodes = collectNodes(program, program.name());
  switch (shell) {
    case "bash":
      return bashScript(nodes);
    case "zsh":
      return zshScript(nodes);
    case "fish":
      return fishScript(nodes);
    default:
      return shell satisfies never;
  }
}

function collectNodes(command: Command, path: string): Node[] {
  const inner = command.commands.filter((one) => one.name() !== "help");
  const isRoot = command.parent === null;
  const options = command.createHelp().visibleOptions(command);
  const hidden = command.options.filter(
    (option) => option.hidden && option.negate,
  );
  return [
    {
      path,
      words: [
        ...inner.map((one) => one.name()),
        ...(isRoot ? ["help"] : []),
        ...command.registeredArguments.flatMap(
          ({ argChoices = [] }) => argChoices,
        ),
      ],
      options: [...options, ...hidden].flatMap(namesOf),
      values: options
        .filter((option) => option.required)
        .map((option) => toValueRule(option)),
    },
    ...inner.flatMap((one) => collectNodes(one, `${path} ${one.name()}`)),
    // `help topic list` leads where `topic list` does.
    ...(isRoot ? helpNodes(inner, `${path} help`) : []),
  ];
}

function helpNodes(commands: readonly Command[], path: string): Node[] {
  return [
    {
      path,
      words: commands.map((one) => one.name()),
      options: [],
      values: [],
    },
    ...commands
      .filter((one) => one.commands.length > 0)
      .flatMap((one) =>
        helpNodes(
          one.commands.filter((inner) => inner.name() !== "help"),
          `${path} ${one.name()}`,
        ),
      ),
  ];
}

function toValueRule(option: Option): ValueRule {
  const names = namesOf(option);
  const { argChoices: choices } = option;
  if (choices) return { names, choices, kind: "choices" };
  const [, placeholder] = /<(.*)>/.exec(option.flags) ?? [];
  return {
    names,
    kind:
      placeholder === "file"
        ? "files"
        : placeholder === "folder"
          ? "folders"
          : "text",
  };
}

function namesOf({ short, long }: Option): string[] {
  return [short, long].filter((name) => name !== undefined);
}

/** One pattern of a `case` per command or option. */
function patterns(texts: readonly string[]): string {
  return texts.map((text) => `"${text}"`).join(" | ");
}

function pathsBelow(nodes: readonly Node[]): string[] {
  return nodes.map(({ path }) => path).filter((path) => path.includes(" "));
}

function bashScript(nodes: readonly Node[]): string {
  const values = valueCases(nodes, (rule) => {
    switch (rule.kind) {
      case "choices":
        return `mapfile -t COMPREPLY < <(compgen -W "${rule.choices?.join(" ")}" -- "$current")`;
      case "files":
        return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")';
      case "folders":
        return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current")';
      case "text":
        return "COMPREPLY=()";
      default:
        return rule.kind satisfies never;
    }
  });
  return `# Completion of carillon for bash, written by: carillon completion bash
_carillon() {
  local current=\${COMP_WORDS[COMP_CWORD]} path=carillon words= options= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$path \${COMP_WORDS[at]}" in
      ${patterns(pathsBelow(nodes))})
        path="$path \${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path \${COMP_WORDS[COMP_CWORD-1]}" in
${values}
  esac
  case "$path" in
${wordCases(nodes)}
  esac
  if [[ $current == -* ]]; then words=$options; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _carillon carillon
`;
}

function zshScript(nodes: readonly Node[]): string {
  const values = valueCases(nodes, (rule) => {
    switch (rule.kind) {
      case "choices":
        return `compadd -- ${rule.choices?.join(" ")}`;
      case "files":
        return "_files";
      case "folders":
        return "_files -/";
      case "text":
        return "true";
      default:
        return rule.kind satisfies never;
    }
  });
  return `#compdef carillon
# Completion of carillon for zsh, written by: carillon completion zsh
_carillon() {
  local current_path=carillon candidates= options= at
  for ((at = 2; at < CURRENT; at++)); do
    case "$current_path \${words[at]}" in
      ${patterns(pathsBelow(nodes))})
        current_path="$current_path \${words[at]}" ;;
    esac
  done
  case "$current_path \${words[CURRENT-1]}" in
${values}
  esac
  case "$current_path" in
${wordCases(nodes, "candidates")}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then candidates=$options; fi
  compadd -- \${=candidates}
}
if [[ \${funcstack[1]} == _carillon ]]; then _carillon "$@"; else compdef _carillon carillon; fi
`;
}

/** `"path option") …; return ;;` for each option with a value. */
function valueCases(
  nodes: readonly Node[],
  toAction: (rule: ValueRule) => string,
): string {
  const byAction = new Map<string, string[]>();
  for (const { path, values } of nodes) {
    for (const rule of values) {
      const action = toAction(rule);
      const places = byAction.get(action) ?? [];
      places.push(...rule.names.map((name) => `${path} ${name}`));
      byAction.set(action, places);
    }
  }
  return [...byAction]
    .map(
      ([action, places]) =>
        `    ${patterns(places)})\n      ${action}; return ;;`,
    )
    .join("\n");
}

function wordCases(nodes: readonly Node[], variable = "words"): string {
  return nodes
    .map(
      ({ path, words, options }) =>
        `    "${path}") ${variable}="${words.join(" ")}" options="${options.join(" ")}" ;;`,
    )
    .join("\n");
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, words, options, values }) => {
    const condition = `-n '__carillon_at "${path}"'`;
    const withValue = new Set(values.flatMap(({ names }) => names));
    return [
      ...(words.length > 0
        ? [`complete -c carillon -f ${condition} -a '${words.join(" ")}'`]
        : []),
      ...values.map(
        ({ names, kind, choices = [] }) =>
          `complete -c carillon ${condition} ${fishNames(names)} ${
            {
              choices: `-x -a '${choices.join(" ")}'`,
              files: "-r -F",
              folders: "-x -a '(__fish_complete_directories)'",
              text: "-x",
            }[kind]
          }`,
      ),
      ...options
        .filter((name) => !withValue.has(name))
        .map(
          (name) => `complete -c carillon -f ${condition} ${fishNames([name])}`,
        ),
    ];
  });
  return `# Completion of carillon for fish, written by: carillon completion fish
function __carillon_at
  set -l path carillon
  for word in (commandline -opc)[2..]
    switch "$path $word"
      case ${pathsBelow(nodes)
        .map((path) => `'${path}'`)
        .join(" ")}
        set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end
complete -c carillon -f
${lines.join("\n")}
`;
}

function fishNames(names: readonly string[]): string {
  return names
    .map((name) =>
      name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
    )
    .join(" ");
}
