# shellcheck shell=bash
# Client machines: network namespaces of their own, each on a cable to this one, with IPv4 and IPv6.

# make_machine NAME NUMBER: a namespace NAME with 10.99.NUMBER.2 and fd99:NUMBER::2; this side has .1 and
# ::1. Run something there with `on NAME COMMAND...`.
make_machine() {
  local name=$1 number=$2
  ip netns add "$name"
  ip link add "to-$name" type veth peer name eth0 netns "$name"
  ip addr add "10.99.$number.1/24" dev "to-$name"
  ip addr add "fd99:$number::1/64" dev "to-$name" nodad
  ip link set "to-$name" up
  ip -n "$name" addr add "10.99.$number.2/24" dev eth0
  ip -n "$name" addr add "fd99:$number::2/64" dev eth0 nodad
  ip -n "$name" link set lo up
  ip -n "$name" link set eth0 up
  until_true 20 "the cable to $name is up" on "$name" ping -q -c 1 -W 1 "fd99:$number::1" >"$T/ping"
}

on() {
  local name=$1
  shift
  ip netns exec "$name" "$@"
}

# pid_listening PORT: the process that listens there in this network namespace.
pid_listening() {
  ss -Hltnp "sport = :$1" | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2
}

nothing_listens() { [[ -z $(ss -Hltn "sport = :$1") ]]; }
something_listens() { ! nothing_listens "$1"; }

# greets ADDRESS PORT: whether an SSH server says its first line there within some seconds.
greets() {
  # shellcheck disable=SC2016
  timeout 3 "$BASH" -c 'exec 3<>"/dev/tcp/$1/$2" && read -r line <&3 && [[ $line == SSH-2.0-* ]]' \
    _ "$1" "$2" 2>/dev/null
}
