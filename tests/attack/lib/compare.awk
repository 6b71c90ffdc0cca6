# compare.awk ROWS OUTCOMES: prints the table and compares; exits 1 where something is not as the rows say.
#
# A row: NAME WORLD=OUTCOME... | LAYERS. "A/B": either. "!" behind an outcome: as good as OK; the layers let it
# pass, and it was refused for what it asked for. "?": or the kernel lacks what is attacked. A row has its
# outcome in the jail and at least one other world where the same attempt passes.
function wrong(text) { printf "FAILED: %s\n", text; failed = 1 }
function lacks(outcome) { return outcome ~ /^(ENOSYS|EAFNOSUPPORT|EPROTONOSUPPORT|ESOCKTNOSUPPORT|EOPNOTSUPP|ENODEV|ENOENT|EINVAL|absent)$/ }
function fits_exactly(wanted, outcome,    parts, n, i) {
  gsub(/[!?]/, "", wanted)
  n = split(wanted, parts, "/")
  for (i = 1; i <= n; i++) if (parts[i] == outcome) return 1
  return 0
}
function fits(wanted, outcome) {
  return fits_exactly(wanted, outcome) || outcome == "absent" || (wanted ~ /\?$/ && lacks(outcome))
}
/^#/ || NF == 0 { next }
FNR == NR {
  name = $1
  if (name in layers) wrong("the row " name " is there twice")
  order[++rows] = name
  controls = 0
  for (i = 2; i <= NF && $i != "|"; i++) {
    split($i, pair, "=")
    expected[name, pair[1]] = pair[2]
    worlds[name] = worlds[name] " " pair[1]
    if (pair[1] != "jail" && pair[2] ~ /(^OK|!|\?$)/) controls++
  }
  layers[name] = $0
  sub(/^[^|]*\| */, "", layers[name])
  if (!((name, "jail") in expected)) wrong("the row " name " says nothing of the jail")
  if (expected[name, "jail"] ~ /(^|\/)OK|[!?]/) wrong("the row " name " would let the attack pass")
  if (!controls) wrong("the row " name " has no control")
  next
}
{
  outcome[$2, $1] = $3
  if (!($2 in layers)) wrong($2 " was tried in the world '" $1 "', and no row is about it")
}
# Whether an outcome is the control that a row wants: the attempt passed.
function passed(wanted, got) { return wanted ~ /(^OK|!)/ && fits_exactly(wanted, got) }
END {
  printf "%-24s %-14s %-58s %s\n", "attack", "in the jail", "without its layers", "layers"
  for (r = 1; r <= rows; r++) {
    name = order[r]
    without = ""
    proven = 0
    n = split(worlds[name], list, " ")
    for (i = 1; i <= n; i++) {
      world = list[i]
      got = outcome[name, world]
      if (got == "") wrong("nobody tried " name " in the world '" world "'")
      else if (!fits(expected[name, world], got))
        wrong(name " in the world '" world "': " got ", not " expected[name, world])
      tried++
      if (world != "jail" && passed(expected[name, world], got)) proven++
      if (world != "jail") without = without world ":" got " "
    }
    if (!proven) lacking = lacking " " name
    printf "%-24s %-14s %-58s %s\n", name, outcome[name, "jail"], without, layers[name]
  }
  if (lacking != "") printf "without a control, because this kernel lacks what they attack:%s\n", lacking
  printf "%d attacks, %d attempts\n", rows, tried
  exit failed
}
