/**
 * `capstan completion SHELL`: prints a script that completes capstan's command lines. The scripts
 * are short: the candidates come from capstan itself (`complete.ts`), so they are never outdated.
 */

import { parseChoice } from "../text/option-values.ts";
import type { CommandDefinition, CommandInput } from "./command.ts";

const bash = `# Completion of capstan for bash: source <(capstan completion bash)
_capstan() {
  local line word="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :directory) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word") ;;
      :program) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -c -f -- "$word" | sort -u) ;;
      :file) mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word") ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(capstan __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o filenames -F _capstan capstan
`;

const zsh = `#compdef capstan
# Completion of capstan for zsh: source <(capstan completion zsh)
_capstan() {
  local line
  local -a described
  while IFS= read -r line; do
    case "$line" in
      :directory) _files -/ ;;
      :program) _command_names -e; _files ;;
      :file) _files ;;
      *) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <(capstan __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)
  (( \${#described} )) && _describe capstan described
}
compdef _capstan capstan
`;

const fish = `# Completion of capstan for fish: capstan completion fish | source
function __capstan_candidates
  set -l words (commandline -opc) (commandline -ct)
  for line in (capstan __complete -- $words[2..-1] 2>/dev/null)
    switch $line
      case ':directory'
        __fish_complete_directories (commandline -ct)
      case ':program'
        __fish_complete_command
      case ':file'
        __fish_complete_path (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c capstan -f -a '(__capstan_candidates)'
`;

const scripts = { bash, zsh, fish } as const;
const shells = ["bash", "zsh", "fish"] as const;

/** The command as data. */
export const completionCommand: CommandDefinition = {
  name: "completion",
  summary: "print a script that completes command lines: bash, zsh or fish",
  parameters: "<shell>",
  options: [],
  examples: [
    "source <(capstan completion bash)",
    "capstan completion zsh > ~/.zfunc/_capstan",
    "capstan completion fish > ~/.config/fish/completions/capstan.fish",
  ],
  run: completion,
};

async function completion({ args, options }: CommandInput): Promise<number> {
  const shell = parseChoice("SHELL", args[0] ?? "", shells);
  const script = scripts[shell];
  process.stdout.write(options.json === true ? `${JSON.stringify({ shell, script })}\n` : script);
  return 0;
}
