# bash completion for evojail(8)                                    -*- shell-script -*-

# The options of one command.
_evojail_options() {
  case $1 in
    init) echo --port --key --legacy-clients --json ;;
    list) echo --json ;;
    status) echo --no-header --json ;;
    rename | archive | start | stop | restart | reload | is-on | run) ;;
    remove) echo --force ;;
    key) echo --now --json ;;
    ip) echo --remove --json ;;
    port) echo --json ;;
    firewall) echo --watch --json ;;
    inc) echo --wait --wait-lock --at --json ;;
    rm) echo --dry-run --explain --if-fresh --json ;;
    list-incs) echo --no-header --json ;;
    verify) echo --contents --json ;;
    inc-hold) echo --reason --until ;;
    inc-release | inc-lock | inc-unlock) ;;
    freeze) echo --reason --until ;;
    check-setup) echo --json ;;
    update) echo --json ;;
    profile) echo --json ;;
  esac
}

# What the words of one command can be.
_evojail_words() {
  local command=$1 position=$2 evojail=$3
  case $command in
    start | stop | restart | reload | status | firewall | inc | rm)
      "$evojail" list 2>/dev/null
      if ((position == 1)); then echo all; fi
      ;;
    init | list | check-setup | update) ;;
    inc-hold | inc-release | inc-lock | inc-unlock)
      local jail
      "$evojail" list 2>/dev/null | while read -r jail; do
        "$evojail" list-incs "$jail" --no-header 2>/dev/null | sed "s|^\([^ ]*\).*|$jail/\1|"
      done
      ;;
    profile)
      if ((position == 1)); then
        echo list show check
      elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == show ]]; then
        "$evojail" profile list 2>/dev/null | cut -d' ' -f1
      fi
      ;;
    port)
      if ((position == 1)); then "$evojail" list 2>/dev/null; else echo auto; fi
      ;;
    ip)
      if ((position == 1)); then "$evojail" list 2>/dev/null; else echo all none; fi
      ;;
    *)
      if ((position == 1)); then "$evojail" list 2>/dev/null; fi
      ;;
  esac
}

_evojail() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local commands='init list status rename archive remove key ip port firewall start stop restart
    reload is-on run inc rm list-incs verify inc-hold inc-release freeze inc-lock inc-unlock
    check-setup update profile'
  local command='' position=0 i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --config) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then command=$word; else ((++position)); fi
        ;;
    esac
  done
  COMPREPLY=()
  case $previous in
    --config | --key)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --wait | --wait-lock | --at | --reason | --until | --remove | --port) return ;;
  esac
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --config --quiet --help --version" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_evojail_options "$command") --help" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(_evojail_words "$command" $((position + 1)) "$1")" -- "$current")
    if [[ $command == @(key|profile) ]] && ((position >= 1)); then
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
    fi
  fi
}
complete -F _evojail evojail
