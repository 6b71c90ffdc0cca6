#!/bin/bash
# What unmodified clients of two generations do: their very server command lines, three connections a run, a
# run that is killed and followed by another, the commands that administrators' scripts send.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_tree "$T/tree"
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
new_jail web1

# An ssh for rsync's -e that notes the command line which the server gets.
cat >"$T/client/ssh" <<SSH
#!/bin/bash
printf '%s\n' "\${*:2}" >>"$T/client/argv"
exec ssh -F "$T/client/ssh_config" "\$@"
SSH
chmod +x "$T/client/ssh"

# server_argv LINE: the last push sent exactly this.
server_argv() { equal "$(tail -n 1 "$T/client/argv")" "$1" 'another server command line'; }

step 'the client of 25.x: probe, data, report'
must in_jail -t web1 exit
must rsync -e "$T/client/ssh" -lptgo --recursive --relative --quiet --out-format=%i --delete-excluded \
  --force --stats --partial --ignore-errors --info=NONREG0 "$T/./tree" web1:/var/backup/
server_argv 'rsync --server -qlogtprRe.iLsfxCIvu --log-format=%i --delete-excluded --force --stats --partial --ignore-errors --info=NONREG0 . /var/backup/'
must cmp "$T/tree/contents/large" "$JAILS/web1/data/tree/contents/large"
echo report >"$T/client/PROG.SYNC.rsync.log"
must rsync -e "$T/client/ssh" -lptgo --quiet "$T/client/PROG.SYNC.rsync.log" web1:/var/log/
must cmp "$T/client/PROG.SYNC.rsync.log" "$JAILS/web1/var/log/PROG.SYNC.rsync.log"

step 'the client of 2020: devices, specials, zlib'
must in_jail web1 'rm -rf /var/backup/tree'
must rsync -e "$T/client/ssh" -avz --relative --delete --delete-excluded --force --stats --partial \
  --ignore-errors "$T/./tree" web1:/var/backup/
server_argv 'rsync --server -vlogDtprRze.iLsfxCIvu --delete-excluded --force --stats --partial --ignore-errors . /var/backup/'
must cmp "$T/tree/contents/large" "$JAILS/web1/data/tree/contents/large"
[[ -p $JAILS/web1/data/tree/modes/fifo ]] || fail 'the fifo did not arrive'

step 'names map through the jail, as no client says --numeric-ids'
equal "$(in_jail web1 'stat -c %u:%g /var/backup/tree/owner-33/file')" 33:70000
equal "$(in_jail web1 'stat -c %U:%G /var/backup/tree/owner-65534/file')" nobody:nogroup
equal "$(in_jail web1 'cut -d: -f1,3 /etc/group')" "$(
  printf '%s\n' root:0 daemon:1 shadow:42 staff:50 users:100 ssh:102 nogroup:65534
)" 'the group table'

step 'a run is killed with -9; the next one gets in and completes'
truncate -s 300M "$T/big"
push --bwlimit=20M "$T/big" web1:/var/backup/ >/dev/null 2>&1 &
interrupted=$!
until_true 60 'the push has begun' \
  "$BASH" -c 'compgen -G "$1/.big.*" >/dev/null' _ "$JAILS/web1/data"
kill -9 "$interrupted"
wait "$interrupted" 2>/dev/null || true
must push "$T/tree/contents/large" web1:/var/backup/after
must cmp "$T/tree/contents/large" "$JAILS/web1/data/after"

step 'commands that people and scripts send'
must in_jail web1 'mkdir -p /var/backup/zzz_evobackup && date "+%FT%T%z me" >/var/backup/zzz_evobackup/canary'
must in_jail web1 'ls /var/backup/zzz_evobackup && cat /var/backup/zzz_evobackup/canary'
must_print "^$(date +%F)T.* me$"
must in_jail web1 'touch /var/backup/x && sed -n 1p /etc/passwd && rm /var/backup/x'
must_print '^root:x:0:0:'

step 'public keys only, never a question'
must_exit 255 ssh -F "$T/client/ssh_config" -o PreferredAuthentications=password,keyboard-interactive web1 exit
must_say 'Permission denied \(publickey\)'
ssh-keygen -q -t ed25519 -N '' -f "$T/client/stranger"
sed "s|client/id$|client/stranger|" "$T/client/ssh_config" >"$T/client/strangers_config"
must_exit 255 ssh -F "$T/client/strangers_config" web1 exit
must_say 'Permission denied'

step 'each host key of the jail can be asked for'
for type in ssh-ed25519 ecdsa-sha2-nistp256; do
  must in_jail -o HostKeyAlgorithms="$type" web1 exit
done

step 'no forwarding of any kind'
must in_jail -o ExitOnForwardFailure=no -R 0:127.0.0.1:22 web1 'echo on'
must_exit 255 in_jail -W 127.0.0.1:22 web1
must_exit 255 in_jail -o ExitOnForwardFailure=yes -R 0:127.0.0.1:22 web1 'echo on'
