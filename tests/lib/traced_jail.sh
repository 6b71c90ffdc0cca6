# shellcheck shell=bash
# strace on a jail from outside: init and all that comes from it, as the kernel is really asked.

PROFILES=$EVOJAIL_BUILD/share/evojail/profiles

# new_jail_with NAME PROFILE: as new_jail, under that profile.
new_jail_with() {
  must ev init "$1"
  sed -i '/^#*PROFILE=/d' "$CONF/$1.d/jail.conf"
  printf 'PROFILE=%s\n' "$2" >>"$CONF/$1.d/jail.conf"
  must ev key "$1" "$T/client/id.pub"
  must ev start "$1"
  introduce "$1" 127.0.0.1
}

# init_of NAME: the process that is PID 1 in the jail.
init_of() {
  local pid
  for pid in $(pgrep -P "$(supervisor_of "$1")"); do
    awk '/^NSpid:/ { exit !(NF > 2 && $NF == 1) }' "/proc/$pid/status" && echo "$pid" && return
  done
  return 1
}

# trace_jail NAME: from here on every call goes to $T/trace, a file a process, numbers raw.
trace_jail() {
  local init
  init=$(init_of "$1")
  TRACED=$init
  rm -rf "$T/trace"
  mkdir "$T/trace"
  strace -ff -n -qq -e raw='!execve' -e signal=none -s 256 -o "$T/trace/t" -p "$init" 2>"$T/strace.err" &
  TRACER=$!
  until_true 30 "strace holds init" grep -q '^TracerPid:.[1-9]' "/proc/$init/status"
}

# stop_tracing: lets go. init's own calls, which no filter binds, are forgotten.
stop_tracing() {
  kill -INT "$TRACER"
  wait "$TRACER" || true
  rm -f "$T/trace/t.$TRACED"
}

# programs_run: the file names of all programs that ran, each once.
programs_run() {
  grep -hE '\] execve\(.*\) += 0$' "$T"/trace/* | sed -E 's/^[^"]*"([^"]*)".*/\1/; s/.*\///' | sort -u
}

# profile_programs PROFILE.json: the programs that it names.
profile_programs() {
  tr -d '\n' <"$1" | sed -E 's/.*"programs": *\[([^]]*)\].*/\1/' | tr -d ' "' | tr ',' '\n'
}

# image_of: the base image's directory.
image_of() { find "$T/lib/images" -mindepth 1 -maxdepth 1 -type d ! -name '.*' ! -name views | head -n 1; }
