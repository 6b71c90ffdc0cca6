#!/bin/bash
# bkctld's rule, told by date(1) and grep(1) alone: for each DIR/N.policy and DIR/N.incs, a name a line,
# DIR/N.removed gets the names that go. A line that date rejects adds an empty pattern, which every
# name contains, so that nothing goes.
cd "$1" || exit 1
for policy in *.policy; do
  number=${policy%.policy}
  while IFS= read -r line; do
    [[ $line == +* ]] || continue
    date --date "$(date "${line%%.*}") ${line#*.}" +%Y-%m-%d 2>/dev/null || echo
  done <"$policy" >"$number.kept"
  grep -v -f "$number.kept" "$number.incs" >"$number.removed"
done
exit 0
