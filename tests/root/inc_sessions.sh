#!/bin/bash
# Incs beside running sessions: waited for up to a bound, partial where one is open still, and told of in the
# record.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume ext4 600 "$T/volume"
settle "$T/volume"
new_jail web1
must in_jail web1 'echo one >/data/document'

no_session() { [[ $(ev status "$1" --json) == *'"sessions": []'* ]]; }

session_line='[0-9]+: 127\.0\.0\.1 port [0-9]+, since [-0-9]+T[:0-9]+Z, echo ready; cat'

step 'without a session an inc is complete'
first=$(hour_ago '5 days')
until_true 60 'the session of the first command has gone' no_session web1
must ev inc --at "$first" web1
must_say "^evojail: the first inc of jail 'web1' copies about [0-9.]+ KiB in [0-9]+ names\$"
equal "$(wc -l <<<"$ERR")" 1 'lines of warnings'
must ev list-incs web1
must_print "^$first +complete "

step 'a bound that is reached: partial, a warning, and no failure'
second=$(hour_ago '4 days')
open_session web1
must ev inc --wait 1 --at "$second" web1
must_say "'web1/$second' is partial: a push was in flight"
must ev list-incs web1
must_print "^$second +partial .*1 session open, a push was in flight"
must ev list-incs --json web1
must_print '"push_in_flight": true'
must_print "^ *\"$session_line\"\$"

step 'so does the documented line for cron'
third=$(hour_ago '3 days')
policy web1 '+%Y-%m-%d.-0day' '+%Y-%m-%d.-3day' '+%Y-%m-%d.-4day'
must eval "ev inc --at '$third' web1 && ev rm web1"
equal "$(incs_of web1)" "$second"$'\n'"$third"

step 'what only a push makes partial is built on'
must ev inc --json --at "$(hour_ago '2 days')" web1
must_print '"copied_bytes": 0'

step 'a session that ends within the bound: complete'
fourth=$(hour_ago '1 day')
input=${SESSION_INPUTS[web1]}
ev inc --wait 300 --at "$fourth" web1 >"$T/waited" 2>&1 {input}>&- &
waiting=$!
until_true 60 'an inc that waits' processes_like "inc --wait 300 --at $fourth" >/dev/null
[[ ! -e $INCS/web1/$fourth ]] || fail 'the inc did not wait'
close_session web1
wait "$waiting" || fail "the inc failed: $(cat "$T/waited")"
must ev list-incs web1
must_print "^$fourth +complete "

step 'commands that share a connection: one has ended, one runs on'
fifth=$(hour_ago '6 days')
open_session web1 '' -o ControlMaster=yes -o "ControlPath=$T/client/shared"
must_exit 3 in_jail -o "ControlPath=$T/client/shared" web1 'exit 3'
must ev inc --at "$fifth" web1
must_say "'web1/$fifth' is partial: a push was in flight"
must ev reload web1
must ev status web1 --json
must_print '"claimed_command": "echo ready; cat"'
close_session web1
