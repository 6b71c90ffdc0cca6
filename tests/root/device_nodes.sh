#!/bin/bash
# Device nodes that a client makes: by the supervisor, on the client's own data only, with the caller's owner,
# mode and umask; refused anywhere else and wherever a node would be live; held against callers that change
# their memory, their tree or their mind, that flood, and against a supervisor that is replaced or whose listener
# breaks.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

# A program of the base image that no session here needs gives its place to the probe.
mount --bind "$EVOJAIL_BUILD/tests/mknod_probe" /usr/bin/tac
make_client
make_volume ext4 400 "$T/volume"
settle "$T/volume"
new_jail web1
data=$JAILS/web1/data

probe() { in_jail web1 "tac $*"; }
# probes OUTCOME ARGUMENT...: one call of the probe's ends so.
probes() {
  run probe "${@:2}"
  equal "$OUT" "$1" "'${*:2}': another outcome $ERR"
}
# on_disk PATH: type, device, mode and owner of what lies there, as the host sees them.
on_disk() { stat -c '%F %t:%T %a %u:%g' "$data/$1"; }

step 'character, block and whiteout nodes, and numbers of every width'
must in_jail web1 'cd /data && mknod c c 1 3 && mknod b b 7 0 && mknod w c 0 0 && mknod l b 4095 1048575'
equal "$(on_disk c)" 'character special file 1:3 644 0:0'
equal "$(on_disk b)" 'block special file 7:0 644 0:0'
equal "$(on_disk w)" 'character special file 0:0 644 0:0'
equal "$(on_disk l)" 'block special file fff:fffff 644 0:0'
must in_jail web1 'cd /data && chown 33:70000 c && chmod 4620 c && touch -d @1000000000 c'
equal "$(on_disk c)" 'character special file 1:3 4620 33:70000'
must in_jail web1 'mknod /var/backup/v c 5 1 && mknod /var/log/v c 5 1 && rm /data/v'
[[ -c $JAILS/web1/var/log/v ]] || fail 'no node in /var/log'

step 'a node cannot be opened, in the jail as on the host'
must in_jail web1 'mknod -m 666 /data/zero c 1 5'
must_exit 1 in_jail web1 'head -c 1 /data/zero'
must_say 'Permission denied'
must_exit 1 head -c 1 "$data/zero"
mkdir "$T/live"
mount --bind "$data" "$T/live"
mount -o remount,bind,dev "$T/live"
must head -c 1 "$T/live/zero"
umount "$T/live"

step 'umask, default ACL and set-group-ID directory, as the kernel applies them to a FIFO'
must in_jail web1 'cd /data && umask 027 && mknod u c 1 3 && mkfifo uf'
equal "$(on_disk u)" 'character special file 1:3 640 0:0'
must in_jail web1 'mkdir /data/acl'
setfacl -d -m u::rwx,g::rw,o::r,u:33:rw "$data/acl"
must in_jail web1 'umask 077 && mknod /data/acl/node c 1 3 && mkfifo /data/acl/fifo'
equal "$(stat -c %a "$data/acl/node")" 664
equal "$(getfacl -cp "$data/acl/node")" "$(getfacl -cp "$data/acl/fifo")" 'another ACL than a FIFO gets'
must in_jail web1 'mkdir /data/sg && chgrp 33 /data/sg && chmod 2775 /data/sg && mknod /data/sg/node c 1 3'
equal "$(on_disk sg/node)" 'character special file 1:3 644 0:33'
probes 0 make /data/special 026711 1 3
equal "$(on_disk special)" 'character special file 1:3 6711 0:0'

step 'relative to the working directory and to a descriptor'
must in_jail web1 'mkdir -p /data/dir/sub && cd /data/dir && mknod cwd c 1 3 && mknod sub/cwd c 1 3'
must in_jail web1 'cd /data/dir && mknod ./sub//dot c 1 3'
probes 0 at /data/dir by-fd
probes 0 at /data/dir sub/by-fd
probes 0 at /tmp /data/dir/absolute
equal "$(cd "$data/dir" && find . -type c | sort | xargs)" './absolute ./by-fd ./cwd ./sub/by-fd ./sub/cwd ./sub/dot'

step 'errors are those of mknod(2)'
probes EEXIST make /data/dir/cwd 020600 1 3
probes EEXIST make /data/dir/.. 020600 1 3
probes ENOENT make /data/missing/x 020600 1 3
probes ENOENT make /data/dir/x/ 020600 1 3
probes ENOENT make "''" 020600 1 3
probes ENOTDIR make /data/dir/cwd/x 020600 1 3
probes EBADF at /data/missing x
probes EFAULT nowhere
probes ENAMETOOLONG make "/data/$(printf 'n%.0s' {1..256})" 020600 1 3
probes ENAMETOOLONG make "/data/$(printf '%.0s./' {1..2100})x" 020600 1 3

step 'refused outside the data: a FIFO shows that the place can be written'
for place in /tmp /run /dev/pts; do
  [[ $place == /dev/pts ]] || must in_jail web1 "mkfifo $place/fifo"
  probes EPERM make "$place/x" 020600 1 3
done
probes EPERM at /tmp x
must in_jail web1 'ln -s /tmp /data/link && mkfifo /data/link/fifo2'
probes ELOOP make /data/link/x 020600 1 3
probes ELOOP at /data link/x
must in_jail web1 'cd /data/dir && mkfifo ../beside'
probes EXDEV at /data/dir ../x
must in_jail web1 'ln -s /data/never /data/dangling'
probes EEXIST make /data/dangling 020600 1 3
must in_jail web1 'ls -A /tmp /run'
must_not_print '^x$'

step 'refused to another user than root of the jail'
must in_jail web1 'mkdir -m 777 /data/open'
probes EPERM as 33 /data/open/x
probes 0 as 0 /data/open/x

step 'refused while any place that a node can come to lie in is not nodev'
refusal() { ev status web1 | grep -o "device nodes are refused: '[^']*' is not mounted nodev"; }
must ev status web1
must_not_print 'device nodes are refused'
live() { mount -o "remount,bind,nosuid,noexec,dev" "$1"; }
inert() { mount -o "remount,bind,nosuid,noexec,nodev" "$1"; }
live "$T/volume"
probes EPERM make /data/live 020600 1 3
equal "$(refusal)" "device nodes are refused: '$data' is not mounted nodev"
inert "$T/volume"
for place in "$INCS" "$VOLUME/archives"; do
  mount --bind "$place" "$place"
  inert "$place"
  probes 0 make "/data/inert-${place##*/}" 020600 1 3
  live "$place"
  probes EPERM make /data/live 020600 1 3
  equal "$(refusal)" "device nodes are refused: '$place' is not mounted nodev"
  umount "$place"
done
probes 0 make /data/inert 020600 1 3

step 'another thread changes the path while the call is made'
must in_jail web1 'mkdir /data/room /tmp/room1'
must timeout 120 ssh -F "$T/client/ssh_config" web1 'tac change-path /data/room/x /tmp/room1/x 100'
equal "$OUT" held

step 'a symbolic link takes the place of the directory while the call is made'
must in_jail web1 'mkdir /data/real && mkdir /tmp/outside && ln -s /tmp/outside /data/sly'
must timeout 120 ssh -F "$T/client/ssh_config" web1 'tac change-tree /data/real /data/sly 100'
must in_jail web1 'ls -A /tmp/outside'
equal "$OUT" '' 'a node went through the link'

step 'signals neither fail a call nor repeat it'
must probe signals /data/signal 300
equal "$OUT" 'failed 0, signals came'
equal "$(find "$data" -name 'signal*' | wc -l)" 300

step 'the supervisor is executed anew in the middle'
probe many /data/many 800 >"$T/many" &
making=$!
until_true 30 'nodes are being made' grep -qs begun "$T/many"
for _ in 1 2 3; do must ev reload web1; done
wait "$making" || fail "calls failed: $(tail -n 1 "$T/many")"
equal "$(find "$data" -name 'many*' | wc -l)" 800
probes 0 make /data/after-reload 020600 1 3

step 'a flood of calls: others are served, and the flood is bounded'
mkfifo "$T/flood.input"
in_jail web1 'tac storm /data/storm 24' <"$T/flood.input" >"$T/flood" &
flood=$!
exec {hold}>"$T/flood.input"
until_true 30 'the flood has begun' grep -qs begun "$T/flood"
begun=$SECONDS served=0
until ((served >= 5 && SECONDS - begun >= 8)); do
  must timeout 60 ssh -F "$T/client/ssh_config" web1 "echo served $((++served))"
  must_print "served $served"
  must ev status web1
done
exec {hold}>&-
wait "$flood" || fail "the flood ended with an error: $(cat "$T/flood")"
read -r _ calls _ seconds < <(tail -n 1 "$T/flood")
note "$calls calls in $seconds seconds, $served sessions beside them"
((calls >= 24)) || fail "that was no flood: $calls calls"
((calls <= 500 + 200 * (seconds + 2))) || fail "$calls calls in $seconds seconds are over the rate"

step 'incs bring nodes back as they are'
in_jail web1 'rm -rf /data/many* /data/signal* /data/storm*'
must ev inc web1
inc=$(incs_of web1)
must_equal_trees "$data" "$INCS/web1/$inc/data" 'the inc differs'
grep -q 'block special' < <(find "$INCS/web1/$inc" -type b -exec stat -c %F {} +) ||
  fail 'no block node in the inc: nothing is shown'

step 'a listener that broke is given up: callers get an error, and nothing else suffers'
supervisor=$(supervisor_of web1)
strace -qq -e trace=ioctl -e inject=ioctl:error=EIO:when=1 -o "$T/strace" -p "$supervisor" 2>"$T/strace.err" &
tracer=$!
until_true 30 'strace holds the supervisor' grep -q '^TracerPid:.[1-9]' "/proc/$supervisor/status"
run timeout 60 ssh -F "$T/client/ssh_config" web1 'tac make /data/broken 020600 1 3'
kill -INT "$tracer"
wait "$tracer" || true
equal "$OUT" ENOSYS 'the call did not end as it should'
grep -q INJECTED "$T/strace" || fail 'nothing was injected'
probes ENOSYS make /data/broken 020600 1 3
must ev status web1
must_print 'device nodes are refused: what makes them has failed; restart the jail'
must ev reload web1
probes ENOSYS make /data/broken 020600 1 3
must ev status web1
must_print 'device nodes are refused: what makes them has failed; restart the jail'
must ev restart web1
probes 0 make /data/mended 020600 1 3
