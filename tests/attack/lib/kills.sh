# shellcheck shell=bash
# Signals to what is not the client's. Here it is the script that sees who lives.

# attack_with_signals: a session of `jail` kills all that it can name. Another session of the same jail, which is
# of the same trust domain, dies of it; init, a neighbour and the host do not.
attack_with_signals() {
  must in_jail jail 'kill -9 1; kill -STOP 1; true'
  must in_jail jail true
  note_outcome jail kill-init survived

  introduce jail 127.0.0.1 sibling
  open_session sibling
  open_session nofilter
  run in_jail jail 'kill -9 -1'
  until_true 30 'the session of the same jail ends' session_ended sibling
  close_session sibling
  note_outcome sibling kill-all OK
  session_echoes nofilter 'still here' || fail 'the session of the neighbour ended'
  close_session nofilter
  kill -0 "$HOST_PROCESS" || fail 'a process of the host is gone'
  note_outcome jail kill-all survived
}

# kill_init_from_host: where that signal comes from does make a difference.
kill_init_from_host() {
  local init
  init=$(init_of open)
  kill -9 "$init"
  until_true 30 'the jail ends with its init' nothing_listens "$(port_of open)"
  note_outcome host kill-init OK
}

# outlive_sessions: what a session leaves is gone soon after it, also where it never is the process that init saw,
# where it looks dead, or where it is an sshd that stays when its connection has gone. On the host the same goes on, while it does not in the jail.
outlive_sessions() {
  local way
  for way in hop undead linger; do
    ask "$(port_of jail)" "$JAILS/jail/data" "$way"
    ask "$HOST_SSHD" "$DATA" "$way"
  done
  for way in hop undead linger; do
    until_true 30 "$way in the jail" test -s "$JAILS/jail/data/$way.beats"
    until_true 40 "$way: what a session left is gone" silent "$JAILS/jail/data/$way.beats"
    note_outcome jail "outlive-$way" killed
    until_true 20 "$way: the control goes on" beats_on "$DATA/$way.beats"
    note_outcome host "outlive-$way" OK
  done
}

beats_on() { ! silent "$1"; }

# silent FILE: whether it does not grow for about a second, in which it would by ten bytes.
silent() {
  local before i
  before=$(stat -c %s "$1")
  for ((i = 0; i < 20; ++i)); do pause; done
  [[ $(stat -c %s "$1") == "$before" ]]
}
