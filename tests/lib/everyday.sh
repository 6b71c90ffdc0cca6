# shellcheck shell=bash
# What clients do with a jail, and every program of the base image put to use: what a profile's filter has to
# let through. Sourced with the rest of lib.sh; `in_jail`, `push`, `ftp` and `copy` lead to the jail.

# make_everyday_tree DIRECTORY: a little of everything that rsync -aAXHS keeps.
make_everyday_tree() {
  local tree=$1
  mkdir -p "$tree/deep/er/still" "$tree/many"
  printf 'one line\n' >"$tree/file"
  ln "$tree/file" "$tree/deep/hard-link"
  ln -s ../file "$tree/deep/link"
  mkfifo "$tree/fifo"
  truncate -s 4M "$tree/sparse"
  printf 'tail\n' >>"$tree/sparse"
  head -c 300000 /dev/urandom >"$tree/random"
  cp /usr/bin/true "$tree/program"
  setcap cap_net_raw=ep "$tree/program"
  chmod 4755 "$tree/deep/er"
  setfacl -m u:33:r,g:70000:rw "$tree/file"
  setfacl -d -m u:33:rx "$tree/deep"
  setfattr -n user.note -v kept "$tree/random"
  chown 33:1000000500 "$tree/random"
  chown 70000 "$tree/deep/er/still"
  touch -d '2001-02-03 04:05:06.789' "$tree/deep/er"
  local i
  for i in {1..40}; do printf '%d\n' "$i" >"$tree/many/$i"; done
}

# everyday_rsync ALIAS TREE: both server command lines of the client contract, full fidelity, restore.
everyday_rsync() {
  local to=$1 tree=$2
  push -aAXHS --numeric-ids "$tree/" "$to:/var/backup/full/" || return
  [[ -z $(push -aAXHSni --numeric-ids --checksum --delete "$tree/" "$to:/var/backup/full/") ]] || return
  push -a --inplace --no-whole-file "$tree/" "$to:/var/backup/inplace/" || return
  push -a --preallocate --fuzzy --delay-updates "$tree/" "$to:/var/backup/prepared/" || return
  push -a --delete --delete-excluded --force --stats --partial --ignore-errors \
    --out-format=%i --info=NONREG0 --no-devices "$tree/" "$to:/var/backup/new/" >"$T/rsync.out" || return
  push -az --no-devices --delete --delete-excluded --force --stats --partial --ignore-errors \
    "$tree/" "$to:/var/backup/old/" >"$T/rsync.out" || return
  touch "$tree/file"
  push -a --delete --backup --suffix=.old --link-dest=/var/backup/old "$tree/" "$to:/var/backup/linked/" || return
  push -a --rsync-path='nice -n 5 rsync' "$tree/many/" "$to:/var/log/many/" || return
  push -aAXHS --numeric-ids "$to:/var/backup/full/" "$T/back/"
}

# everyday_sftp ALIAS TREE: sftp with every request it has a command for, scp by both protocols.
everyday_sftp() {
  local to=$1 tree=$2
  ftp "$to" >"$T/sftp.out" <<COMMANDS || return
cd /data
mkdir sftp
put $tree/file sftp/file
put -p $tree/random sftp/random
put $tree/file sftp/resumed
reput $tree/random sftp/resumed
get sftp/file $T/got
get -a sftp/random $T/got-random
chmod 600 sftp/file
chown 33 sftp/file
chgrp 33 sftp/file
ln sftp/file sftp/hard
ln -s file sftp/soft
ls -la sftp
ls -l /
rename sftp/hard sftp/renamed
copy sftp/random sftp/copied
df -h /data
rm sftp/soft
mkdir sftp/empty
rmdir sftp/empty
put -r $tree/many sftp/
pwd
COMMANDS
  copy "$tree/random" "$to:/data/by-scp" || return
  copy -r "$tree/many" "$to:/data/by-scp.d" || return
  copy "$to:/data/by-scp" "$T/by-scp"
}

# everyday_shell ALIAS: the shell with and without a terminal, then every program of the base image.
everyday_shell() {
  local to=$1
  in_jail "$to" true || return
  in_jail -t "$to" exit </dev/null 2>"$T/tty.err" || return
  in_jail -tt "$to" 'tty; stty size; stty -echo; stty sane; stty -a; sh -c "kill -0 \$\$"' </dev/null >"$T/tty.out" || return
  printf 'cd /data\nls\nsleep 0.1 &\nwait\njobs\nexit 0\n' | in_jail -tt "$to" >"$T/login.out" || return
  printf 'echo from a login\nexit\n' | in_jail "$to" >"$T/login.out" || return
  copy -O "$T/got" "$to:/data/by-old-scp" || return
  copy -O "$to:/data/by-old-scp" "$T/by-old-scp" || return
  everyday_programs | in_jail "$to" 'sh -eux' >"$T/programs.out"
}

# everyday_programs: the script for it. An optional program that the image lacks is passed over.
everyday_programs() {
  cat <<'SCRIPT'
rm -rf /data/work && mkdir -p /data/work/a/b && cd /data/work
has() { which "$1" >/dev/null 2>&1; }
if has which; then :; else has() { command -v "$1" >/dev/null; }; fi
printf 'b\na\nc\na\n' >f; echo word >a/g; touch -d yesterday a/h; cat f a/g >/dev/null
ls -laR --color=always . >/dev/null; ls -l /proc/self/fd /dev >/dev/null
sed -i s/word/words/ a/g; sed -n 1p f >/dev/null; head -n1 f; tail -n1 f; tail -c1 f >/dev/null
sort f | uniq -c | wc -l; cut -c1 f | tr a-z A-Z | tee t >/dev/null; od -c f >/dev/null; tac f >/dev/null
seq 1 200000 >n; sort -S 1M --parallel=2 -r n >r; sort -u n | comm -12 - n >/dev/null 2>&1 || true
split -l 100000 n part.; cat part.* | cmp - n; diff f t >/dev/null || true; base64 f | base64 -d >/dev/null
dd if=n of=d bs=64k conv=fsync 2>/dev/null; dd if=/dev/zero of=d bs=1k count=1 seek=8 conv=notrunc,sparse 2>/dev/null
cp f c; cp -a a z; cp --reflink=auto n n2; cp --sparse=always n n3; install -m 600 f i; mv c c2; mv -T z y; mv -n n3 n4
ln c2 l; ln -s c2 s; ln -sf f s; readlink s >/dev/null; readlink -f s >/dev/null; realpath s >/dev/null
chmod 640 f; chmod -R u+rwX,g-w y; chown -R 33:33 y; chgrp 50 f; chown -h 33 s; truncate -s 1M d
mkfifo p; mknod q p; (cat p >/dev/null & echo x >p; wait); stat f >/dev/null; stat -f . >/dev/null; df . >/dev/null; df -i / >/dev/null; du -s . >/dev/null
find . -type f -newer a/h -size -1M -exec cat {} + >/dev/null; find . -name 'part.*' -print0 | xargs -0 -n1 -P2 cat >/dev/null; find . -empty -delete
for sum in md5sum sha1sum sha256sum sha512sum b2sum; do $sum f >sums; $sum -c sums >/dev/null; done; cksum f >/dev/null
grep -r word . >/dev/null; grep -P 'wo(?=r)' a/g >/dev/null; echo a.b | grep -F . >/dev/null
! has egrep || echo ab | egrep 'a|b' >/dev/null 2>&1; ! has fgrep || echo ab | fgrep b >/dev/null 2>&1
tar cf t.tar a f; tar tf t.tar >/dev/null; mkdir out; tar xpf t.tar -C out; tar czf t.tgz a; tar xzf t.tgz -C out; tar cSf sparse.tar d
gzip -k n; gzip -t n.gz; gunzip -c n.gz | cmp - n; zcat n.gz | head -n1 >/dev/null
! has zstd || { zstd -q -T2 n -o n.zst; unzstd -q -c n.zst | cmp - n; zstdcat n.zst | tail -n1 >/dev/null; }
! has xz || { xz -k -T2 -0 n; unxz -c n.xz | cmp - n; xzcat n.xz | tail -n1 >/dev/null; }
! has bzip2 || { bzip2 -k n; bunzip2 -c n.bz2 | cmp - n; bzcat n.bz2 | tail -n1 >/dev/null; }
! has setfacl || { setfacl -m u:33:r f; setfacl -d -m g:50:rx a; getfacl -R . >/dev/null; }
! has setfattr || { setfattr -n user.k -v w f; getfattr -d f >/dev/null; setfattr -x user.k f; }
! has setcap || { cp /bin/true cap; setcap cap_net_raw=ep cap; getcap cap >/dev/null; }
! has awk || awk 'BEGIN { "date" | getline d; print length(d) > "/dev/null" }'
date >/dev/null; date -d '1 day ago' +%F >/dev/null; printf '%s\n' "$(id)" "$(id -u)" >/dev/null; whoami >/dev/null; groups >/dev/null
hostname >/dev/null; uname -a >/dev/null; nproc >/dev/null; env >/dev/null; printenv PATH >/dev/null; pwd >/dev/null; tty >/dev/null || true
test -f f && [ -d a ] && /usr/bin/[ -d a ] && /usr/bin/test -d a; /usr/bin/echo x >/dev/null; /usr/bin/printf x >/dev/null; /usr/bin/pwd >/dev/null
expr 1 + 1 >/dev/null; /usr/bin/true; /usr/bin/false || true; basename /a/b >/dev/null; dirname /a/b >/dev/null; mktemp >/dev/null; mktemp -d >/dev/null
sleep 0.01; timeout 5 true; timeout 0.1 sleep 5 || true; nice -n 3 true; nice true; sync; sync f; rmdir out/nothing 2>/dev/null || true
mkdir e; rmdir e; sh -c 'trap "exit 0" TERM; kill -TERM "$$"; exit 1'; ulimit -n >/dev/null; umask 022; times >/dev/null
rsync -a --delete a/ copy/; rsync --version >/dev/null; dash -c :; /usr/lib/openssh/sftp-server </dev/null || true; scp f f.scp
rm -rf /data/work
SCRIPT
}
