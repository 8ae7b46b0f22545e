// sltv completion …
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';
import { complete } from './complete.ts';

const script = command(
  verb({
    about: 'print what teaches a shell to complete sltv',
    example: 'sltv completion script bash',
    role: 'viewer',
    args: { shell: { type: 'text', about: 'which', choices: ['bash', 'zsh', 'fish'] } },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async ({ shell }) => {
    const text = SCRIPTS[shell];
    return { message: { script: text }, said: text.trim() };
  },
);

const words = command(
  verb({
    about: 'print what the last word can become, a line each; shells call it',
    example: 'sltv completion words -- disk show we',
    role: 'viewer',
    args: { words: { type: 'text', about: 'what is typed behind sltv; the last may be empty', list: true } },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    const found = await complete(input.words, at);
    return { message: { words: found }, ...(found.length > 0 ? { said: found.join('\n') } : {}) };
  },
);

export const completion: Commands = { 'completion script': script, 'completion words': words };

/** Where we know nothing, each shell offers files. */
const SCRIPTS = {
  bash: `
# Completion of sltv for bash: put this into /etc/bash_completion.d/sltv
_sltv() {
  local IFS=$'\\n'
  COMPREPLY=($(sltv completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sltv sltv
`,
  zsh: `
#compdef sltv
# Completion of sltv for zsh: put this into a folder of $fpath, as _sltv
_sltv() {
  local -a found
  found=("\${(@f)$(sltv completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if (( $#found )); then compadd -a found; else _files; fi
}
if [ "$funcstack[1]" = _sltv ]; then _sltv; else compdef _sltv sltv; fi
`,
  fish: `
# Completion of sltv for fish: put this into /etc/fish/completions/sltv.fish
function __sltv_words
  set -l found (sltv completion words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c sltv -f -a '(__sltv_words)'
`,
};
