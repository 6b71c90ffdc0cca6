# CTest's JUnit report as lines "BUILD STATE NAME<TAB>REASON". The reason is where the test said "kernel lacks",
# else the last thing that it said.

function plain(text) {
  sub(/.*<system-out>/, "", text); sub(/<\/system-out>.*/, "", text)
  gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
  gsub(/&amp;/, "\\&", text); gsub(/[\t\033]/, " ", text)
  return text
}
function attribute(line, name) {
  if (!match(line, " " name "=\"[^\"]*\"")) return ""
  return plain(substr(line, RSTART + length(name) + 3, RLENGTH - length(name) - 4))
}
/^\t<testcase / {
  name = attribute($0, "name")
  status = attribute($0, "status")
  state = status == "run" ? "passed" : status == "notrun" ? "skipped" : "failed"
  reason = ""
  said = 0
}
/<system-out>/ { said = 1 }
said && !(reason ~ /^kernel lacks/) {
  line = plain($0)
  if (match(line, /kernel lacks.*/)) reason = substr(line, RSTART)
  else if (line ~ /[^ ]/ && line !~ /SKIPPED|FAILED TEST|PASSED/) reason = line
}
/<\/system-out>/ { said = 0 }
/^\t<\/testcase>/ { print build, state, name "\t" (state == "passed" ? "" : reason == "" ? "it said nothing" : reason) }
