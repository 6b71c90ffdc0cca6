#!/bin/bash
# Runs in the virtual machine of vm_limits.sh, as a service. evojail is installed, with its default directories.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

unit_of() { printf 'evojail@%s.service' "$1"; }
cgroup_of() { printf '/sys/fs/cgroup%s' "$(systemctl show --value -p ControlGroup "$(unit_of "$1")")"; }
# is JAIL FILE VALUE: a file of the cgroup of the jail's unit.
is() { equal "$(cat "$(cgroup_of "$1")/$2")" "$3" "$2 of $1"; }
counted() { sed -n "s/^$3 //p" "$(cgroup_of "$1")/$2"; }
warnings() { ev status "$1" | sed -n 's/^warning: *//p'; }
set_in() { sed -i "/^$2=/d" "$CONF/$1.d/jail.conf" && echo "$2=$3" >>"$CONF/$1.d/jail.conf"; }

arrange_vm
step "Linux $(uname -r), up for $(cut -d' ' -f1 /proc/uptime) s"
for name in web1 db1; do
  must ev init "$name"
  must ev key "$name" "$T/client/id.pub"
done
set_in web1 CPU_WEIGHT 300
set_in web1 IO_WEIGHT 50
set_in web1 MEMORY_MAX 64M
set_in web1 MAX_PROCESSES 40
for name in web1 db1; do
  must ev start "$name"
  introduce "$name" 127.0.0.1
done

step 'weights are those of the units, which compete'
for name in web1 db1; do equal "$(dirname "$(cgroup_of "$name")")" /sys/fs/cgroup/evojail.slice "the parent of $name"; done
is web1 cpu.weight 300
is web1 io.weight 'default 50'
is db1 cpu.weight 100
is db1 io.weight 'default 100'
must systemctl daemon-reload
is web1 cpu.weight 300
set_in web1 CPU_WEIGHT 500
set_in web1 IO_WEIGHT 100
must ev reload web1
is web1 cpu.weight 500
is web1 io.weight 'default 100'
must ev restart web1
is web1 cpu.weight 500

step 'processes and memory of a jail are bounded as a whole'
[[ $(cat /sys/fs/cgroup/evojail.slice/memory.max) != max ]] || fail 'all jails together may have all memory'
is web1 jail/pids.max 41
is web1 jail/memory.max $((64 << 20))
is db1 jail/pids.max 201
is db1 jail/memory.max $((1 << 30))
[[ $(cat "$(cgroup_of web1)/jail/cgroup.procs") ]] || fail 'the jail is not in its cgroup'
equal "$(warnings web1)$(warnings db1)" '' 'warnings'
run ev check-setup
must_print 'cgroup: cpu, io, memory and pids can be limited'
equal "$(counted web1 jail/memory.events oom_kill)" 0 'memory hogs before'
run in_jail web1 'head -c 100M /dev/zero | tail | wc -c'
(($(counted web1 jail/memory.events oom_kill) > 0)) || fail "a memory hog was not ended: $OUT $ERR"
must_print '^0$'
must in_jail db1 'head -c 100M /dev/zero | tail | wc -c' # the control: a jail with more memory
must_print '^104857600$'
# shellcheck disable=SC2016
run timeout 60 ssh -F "$T/client/ssh_config" web1 'b() { b | b & }; b; sleep 5'
# Whichever comes first: the cgroup, or the limit that holds without one.
must_say 'Cannot fork'
must in_jail db1 'echo served'
must ev restart web1
must in_jail web1 'echo served'

step "a jail's crash does not run the host's core handler"
cat >/usr/local/sbin/core-handler <<'HANDLER'
#!/bin/sh
echo "uid $(id -u) handled $1" >>/run/handled
cat >/dev/null
HANDLER
chmod +x /usr/local/sbin/core-handler
cores=$(cat /proc/sys/kernel/core_pattern)
echo '|/usr/local/sbin/core-handler %e' >/proc/sys/kernel/core_pattern
handled() { grep -qs "uid 0 handled $1" /run/handled; }
ulimit -c unlimited
cp /bin/sh /run/host-crash
run /run/host-crash -c 'kill -SEGV $$'
until_true 60 'the control: a crash on the host is handled' handled host-crash
mkdir -p "$CONF/profiles"
sed 's/"RLIMIT_CORE", "hard": 1,/"RLIMIT_CORE", "hard": 1000000000,/' \
  /usr/local/share/evojail/profiles/default.json \
  >"$CONF/profiles/cores.json" # the control: without the layer
must ev profile check "$CONF/profiles/cores.json"
set_in db1 PROFILE cores
must ev restart db1
run in_jail db1 'exec dash -c "kill -SEGV \$\$"'
until_true 60 "the control: with another core limit the host's root handles the crash of a jail" handled dash
rm /run/handled
run in_jail web1 'exec dash -c "kill -SEGV \$\$"'
must in_jail web1 true
run /run/host-crash -c 'kill -SEGV $$'
until_true 60 'a later crash on the host is handled' handled host-crash
! handled dash || fail "the crash of a jail ran the host's core handler"
must grep -Eq 'RLIMIT_CORE (is )?set to 1' <(dmesg) # "is" since Linux 6.11
echo "$cores" >/proc/sys/kernel/core_pattern
set_in db1 PROFILE default
must ev restart db1

step 'what is not delegated is said'
mkdir -p "/run/systemd/system/$(unit_of db1).d"
printf '[Service]\nDelegate=no\n' >"/run/systemd/system/$(unit_of db1).d/test.conf"
must systemctl daemon-reload
must ev restart db1
[[ $(warnings db1) == *'no cgroup was delegated'* ]] || fail "status does not say it: $(warnings db1)"
run ev check-setup
must_print "cgroup: 'db1' runs without"
printf '[Service]\nDelegate=cpu memory pids\n' >"/run/systemd/system/$(unit_of db1).d/test.conf"
must systemctl daemon-reload
must ev restart db1
run ev status db1
if [[ ! -e $(cgroup_of db1)/io.weight ]]; then must_print 'IO_WEIGHT has no effect'; fi

step 'a kernel that has lost nf_tables: jails are still renamed, archived and removed'
for name in web1 db1; do must ev stop "$name"; done
must systemctl stop evojail-firewall.service
must nft delete table inet evojail
echo 'install nf_tables /bin/false' >/etc/modprobe.d/no-nf-tables.conf
unload() {
  local module
  for module in $(awk '/^(nft_|nf_tables)/ { print $1 }' /proc/modules); do rmmod "$module" 2>/dev/null || true; done
  ! grep -q '^nf_tables' /proc/modules
}
until_true 60 'nf_tables is gone' unload
run ev start web1
((CODE != 0)) || fail 'a jail starts without a firewall'
[[ $(journalctl -q -u evojail@web1 -o cat) == *'the kernel has no nf_tables'* ]] || fail 'the journal does not say why'
run ev rename web1 web2
must_say "evojail firewall web2"
[[ -d $CONF/web2.d ]] || fail "the jail has not its new name"
must ev archive web2
must ev remove db1 --force
! compgen -G "$CONF/*.d/jail.conf" || fail "a jail is left"
echo "all limits hold, after $(cut -d' ' -f1 /proc/uptime) s"
