#!/bin/bash
# A jail with two neighbours looks around, as root, with all the programs it has. It sees itself and nothing
# of the host or of a neighbour: no process, file, socket or address. Each look is shown to work where
# there is something to see.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
for name in web1 db1 mail1; do
  new_jail "$name"
  echo "secret of $name" | in_jail "$name" "cat >/data/secret-of-$name"
done
must ev inc
make_machine outside 1

# refused ALIAS COMMAND PATTERN: the command fails in that jail, with the pattern in its message.
refused() {
  run in_jail "$1" "$2"
  ((CODE != 0)) || fail "'$2' was possible in the jail '$1': $OUT"
  must_say "$3"
}

step 'processes'
sleep 123456 & # on the host
for name in web1 db1; do
  in_jail "$name" "sleep 65432$((${#name} % 2))" >"$T/sleep.$name" 2>&1 &
done
own=654320 neighbours=654321
look='for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; echo; done 2>/dev/null'
sees() { [[ $(in_jail "$1" "$look") == *"sleep $2"* ]]; }
until_true 30 'web1 sees its own session' sees web1 "$own"
until_true 30 'db1 sees its own session' sees db1 "$neighbours"
must in_jail web1 "$look"
must_print "sleep $own"
must_not_print "123456|$neighbours|evojail --config"
init_before=$(supervisor_of web1)
must in_jail web1 'kill -9 1; kill -STOP 1; true'
run in_jail web1 'kill -9 -1' # its own session at most
equal "$(in_jail web1 'echo served')" served 'init did not survive its own jail'
equal "$(supervisor_of web1)" "$init_before"
sees db1 "$neighbours" || fail 'the session of the neighbour is gone'

step 'files'
# The files in /proc of the session's sshd are closed to it where that has given up its own debugging.
must in_jail web1 'find / 2>/dev/null || true'
must_print '^/data/secret-of-web1$'
must_not_print 'secret-of-(db1|mail1)'
must_not_print "$(basename "$T")"
must_not_print '/incs|/jails'
refused web1 'cat /etc/shadow' 'No such file|Permission denied'
refused web1 'echo x >/etc/ssh/sshd_config' 'Read-only|Permission denied'
refused web1 'echo x >/root/.ssh/authorized_keys' 'Read-only|Permission denied'
refused web1 'echo x >/usr/bin/sh' 'Read-only|Permission denied'
refused web1 'rm -f /usr/bin/sh' 'Read-only|Permission denied'
refused web1 'chmod 777 /usr/bin' 'Read-only|Operation not permitted'
refused web1 'ls /sys/kernel /proc/sys/kernel' 'No such file'
must in_jail web1 'cat /proc/self/status'
must_print '^NoNewPrivs:.*1$'
must_print '^Seccomp:.*2$'

step 'an uploaded program does not run'
must copy "$(type -P true)" web1:/data/program
must in_jail web1 'chmod 4755 /data/program && cmp /data/program /usr/bin/true'
for place in /data /var/log /tmp /run; do
  must in_jail web1 "cp /usr/bin/true $place/program"
  refused web1 "$place/program" 'Permission denied'
done
must in_jail web1 /usr/bin/true

step 'devices and mounts'
refused web1 'mknod /tmp/zero c 1 5' 'Operation not permitted'
must in_jail web1 'mkfifo /tmp/fifo && mknod -m 666 /data/zero c 1 5'
[[ -c $JAILS/web1/data/zero ]] || fail 'a node that a client may push was not made'
refused web1 'head -c 1 /data/zero' 'Permission denied'
must_exit 1 head -c 1 "$JAILS/web1/data/zero"
mkdir "$T/live"
mount --bind "$JAILS/web1/data" "$T/live"
mount -o remount,bind,dev "$T/live"
must head -c 1 "$T/live/zero"
umount "$T/live"
refused web1 'hostname elsewhere' 'not permitted|must be root'
equal "$(in_jail web1 hostname)" web1
equal "$(hostname)" evojail-test

step 'addresses'
printf '[module]\npath = /nonexistent\n' >"$T/rsyncd.conf"
rsync --daemon --no-detach --config="$T/rsyncd.conf" --port=873 --log-file="$T/rsyncd.log" &
until_true 30 'a service of the host listens' something_listens 873
must in_jail web1 'cat /proc/self/net/dev'
must_not_print 'eth0|to-outside'
# rsync ends with 10 when it gets no connection, with something else when it has spoken to anybody.
reach='timeout 20 rsync --port'
for target in '873 127.0.0.1' '873 ::1' '873 10.99.1.1' '873 fd99:1::1' \
  "$(port_of db1) 127.0.0.1" "$(port_of web1) 127.0.0.1"; do
  read -r port address <<<"$target"
  [[ $address != *:* ]] || address="[$address]"
  run timeout 20 rsync --port="$port" "rsync://$address/"
  ((CODE != 10 && CODE != 124)) || fail "the control fails: $address port $port is not reachable from the host"
  must_exit 10 in_jail web1 "$reach=$port rsync://$address/"
done

step 'abstract and other sockets'
socat ABSTRACT-LISTEN:evojail-host,fork /dev/null &
until_true 30 'the host has an abstract socket' grep -q '@evojail-host' /proc/net/unix
must in_jail web1 'cat /proc/self/net/unix; tail -n +2 /proc/self/net/tcp; tail -n +2 /proc/self/net/tcp6'
must_not_print '[@/:][0-9A-Za-z]'

step 'the neighbours did not notice'
equal "$(in_jail db1 'cat /data/secret-of-db1')" 'secret of db1'
equal "$(in_jail mail1 'ls /data')" secret-of-mail1
