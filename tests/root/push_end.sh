#!/bin/bash
# INC_AT_PUSH_END: an inc when a push has ended well, and only then.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"
# Nothing ends on a volume that stands still.
trap 'code=$?; fsfreeze -u "$T/volume" 2>/dev/null || true; end_world $code' EXIT

make_client
make_tree "$T/tree"
make_volume ext4 600 "$T/volume"
settle "$T/volume"
must ev init web1
echo INC_AT_PUSH_END=yes >>"$CONF/web1.d/jail.conf"
must ev key web1 "$T/client/id.pub"
must ev start web1
introduce web1 127.0.0.1

# What the supervisor said about pushes that ended, a line each.
words() { grep -ohE "(took inc '[-0-9]+' at the end of a push|a push has ended, and inc '[-0-9]+' exists).*" "$T"/log/*.log || true; }
count() { words | wc -l; }
counted() { (($(count) >= $1)); }
last_word() { words | tail -n 1; }
inc_runs() { processes_like 'inc --json --wait-lock 3600 web1 ?$' >/dev/null; }
inc_pid() { processes_like 'inc --json --wait-lock 3600 web1' | cut -d' ' -f1; }
no_inc_runs() { ! inc_runs; }
no_session() { [[ $(ev status web1 --json) == *'"sessions": []'* ]]; }

# As an rm that is at work.
hold_store() {
  exec {store}>"$T/run/.lock/$1.store"
  flock "$store"
}
let_store_go() { exec {store}>&-; }

# A session that claims what a push claims: faster, and it writes nothing.
claim_push() { in_jail web1 'cat >/dev/null; : rsync --server -logDtpre.iLsfxCIvu . /data' <<<'some bytes'; }

step 'a push that ends well'
must push -aAXH "$T/tree/" web1:/data/tree/
until_true 60 'an inc at the end of the push' counted 1
equal "$(incs_of web1 | wc -l)" 1
must_equal_trees "$T/tree" "$INCS/web1/$(incs_of web1)/data/tree" 'the inc differs from what was pushed'
must ev list-incs web1
must_print ' complete '

step 'a second one within the hour waits for the next inc, and the log says so'
for ((attempt = 2;; ++attempt)); do
  ((attempt < 6)) || fail "it never said that an inc exists: $(words)"
  hour=$(inc_name now)
  must push -aAXH "$T/tree/" web1:/data/tree/
  until_true 60 'a word on the second push' counted "$attempt"
  # The hour may have changed in between: then there was an inc.
  [[ $hour != "$(inc_name now)" || $(last_word) == *"took inc"* ]] || break
done
[[ $(last_word) == *"inc '$hour' exists already: it waits for the next inc"* ]] || fail "not said: $(words)"

step 'what is no push, or failed'
before=$(count)
must_exit 0 push -aAXH web1:/data/tree/contents/ "$T/back/"
must_exit 0 push -aAXHn "$T/tree/" web1:/data/dry/
must_exit 11 push -aAXH "$T/tree/" web1:/nosuch/place/deep/
must in_jail web1 'rsync --version >/dev/null'
until_true 60 'the sessions have ended' no_session
no_inc_runs || fail 'an inc was begun'
equal "$(count)" "$before" 'an inc was tried'

step 'one at a time, one more is remembered, and a reload keeps both'
hold_store web1
must claim_push
until_true 60 'the inc runs' inc_runs
pid=$(inc_pid)
must claim_push
until_true 60 'the sessions have ended' no_session
equal "$(inc_pid)" "$pid" 'there is more than one'
must ev reload web1
must claim_push
until_true 60 'the sessions have ended' no_session
equal "$(inc_pid)" "$pid" 'there is more than one'
let_store_go
until_true 60 'words on both' counted $((before + 2))
until_true 60 'the incs have ended' no_inc_runs
equal "$(count)" $((before + 2)) 'each push got its own inc'

step 'an rm that is at work is waited for'
before=$(count)
hold_store web1
hour=$(inc_name now)
must claim_push
until_true 60 'the inc runs' inc_runs
must_exit 1 ev inc web1
inc_runs || fail 'the inc did not wait'
equal "$(count)" "$before"
let_store_go
until_true 60 'a word on the inc' counted $((before + 1))
[[ $(last_word) == *"inc '"* ]] || fail "the inc failed: $(last_word)"

step 'a stop does not wait for it'
hold_store web1
must claim_push
until_true 60 'the inc runs' inc_runs
kill -STOP "$(inc_pid)"
let_store_go
must ev stop web1
until_true 60 'the inc has gone' no_inc_runs
must ev start web1
must ev inc --at "$(hour_ago '1 day')" web1

step 'what only looks does not wait for a volume that stands still'
fsfreeze -f "$VOLUME"
must timeout 60 "$EVOJAIL" --config "$T/settings" reload web1
fsfreeze -u "$VOLUME"

step 'off unless it is set'
before=$(count)
sed -i s/^INC_AT_PUSH_END=yes/INC_AT_PUSH_END=no/ "$CONF/web1.d/jail.conf"
must ev reload web1
must claim_push
until_true 60 'the sessions have ended' no_session
no_inc_runs || fail 'an inc was begun'
equal "$(count)" "$before"
