#!/bin/bash
# Who may connect: two client machines, IPv4 and IPv6. What is not allowed gets no answer at all, and taking an
# address off the list ends its sessions and nobody else's.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_machine alpha 1
make_machine beta 2
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
must ev init web1
must ev key web1 "$T/client/id.pub"
must ev start web1
port=$(port_of web1)

# answers MACHINE ADDRESS / is_silent MACHINE ADDRESS
answers() { until_true 30 "web1 answers $1 at $2" from "$1" greets "$2" "$port"; }
is_silent() { ! from "$1" greets "$2" "$port" || fail "web1 answers $1 at $2"; }
from() {
  local machine=$1
  shift
  export -f greets
  ip netns exec "$machine" "$BASH" -c '"$@"' _ "$@"
}

step 'a new jail lets everybody in'
equal "$(ev ip web1)" all
answers alpha 10.99.1.1
answers alpha fd99:1::1
answers beta 10.99.2.1

step 'one IPv4 address'
must ev ip web1 10.99.1.2
equal "$(ev ip web1)" 10.99.1.2
answers alpha 10.99.1.1
is_silent beta 10.99.2.1
is_silent alpha fd99:1::1
is_silent beta fd99:2::1

step 'a network of IPv6 beside it'
must ev ip web1 fd99:2::/64
answers beta fd99:2::1
answers alpha 10.99.1.1
is_silent beta 10.99.2.1
is_silent alpha fd99:1::1

step 'an idle port is as closed as a busy one, and a rule follows the settings'
must ev stop web1
run nft list ruleset
must_print "$port"
must ev start web1
is_silent beta 10.99.2.1
answers beta fd99:2::1

step 'removing an address ends its sessions at once and no other'
must ev ip web1 10.99.2.2
introduce web1 10.99.1.1 alpha4
introduce web1 10.99.2.1 beta4
introduce web1 fd99:2::1 beta6
open_session alpha4 alpha
open_session beta4 beta
open_session beta6 beta
must ev ip web1 --remove 10.99.2.2
until_true 20 'the session of the removed address is gone' session_ended beta4
session_echoes alpha4 'alpha goes on' || fail 'the session of another machine ended'
session_echoes beta6 'and so does the other family' || fail 'the session of another address ended'
is_silent beta 10.99.2.1
must ev ip web1 --remove fd99:2::/64
until_true 20 'the session of the removed network is gone' session_ended beta6
session_echoes alpha4 'alpha still goes on' || fail 'the session of another machine ended'

step 'the last address: nobody gets in'
must ev ip web1 --remove 10.99.1.2
until_true 20 'the last session is gone' session_ended alpha4
is_silent alpha 10.99.1.1

step 'and everybody again'
must ev ip web1 all
answers alpha 10.99.1.1
answers beta fd99:2::1
for alias in alpha4 beta4 beta6; do close_session "$alias"; done

step 'changed while the jail is stopped'
must ev stop web1
must ev ip web1 10.99.2.2
must ev start web1
answers beta 10.99.2.1
is_silent alpha 10.99.1.1

# the_wall_stopped_nothing: a count there means that somebody got around the filter.
the_wall_stopped_nothing() {
  must ev status web1
  must_not_print 'tried to send elsewhere'
}

step 'another port: sessions on the old one end, their client is told, and the wall has nothing to count'
must ev ip web1 all
introduce web1 10.99.1.1 there
open_session there alpha
must ev port web1 2300
must_say '1 session ended'
until_true 30 'the client on the old port is told' session_ended there
close_session there
the_wall_stopped_nothing
introduce web1 10.99.1.1 thence
open_session thence alpha
sed -i 's/^PORT=.*/PORT=2400/' "$CONF/web1.d/jail.conf"
# The watcher may look before the reload does.
must ev firewall all
session_echoes thence 'the port that is listened on stays open' || fail 'the session is mute before the reload'
must ev reload web1
must_print '1 session ended'
until_true 30 'the client on the old port is told' session_ended thence
the_wall_stopped_nothing
introduce web1 10.99.1.1 whither
open_session whither alpha
must ev reload web1
session_echoes whither 'a reload that changes nothing ends nothing' || fail 'the session ended'
close_session whither

step 'of a supervisor that was killed, nothing is left that speaks for its port'
killed=$(supervisor_of web1)
kill -KILL "$killed"
tail --pid="$killed" -f /dev/null
sed -i 's/^PORT=.*/PORT=2500/' "$CONF/web1.d/jail.conf"
must ev firewall web1
run nft list map inet evojail ports
must_print 2500
must_not_print 2400
