#pragma once

#include <poll.h>

namespace evojail::test {

/// Lets other processes run for a hundredth of a second; false once `left` is used up.
inline bool wait_a_little(int& left) {
  ::poll(nullptr, 0, 10);
  return --left > 0;
}

/// Whether `condition` becomes true within ten seconds.
template <class Condition>
bool eventually(Condition condition) {
  int left = 1000;
  while (!condition()) {
    if (!wait_a_little(left)) return false;
  }
  return true;
}

}  // namespace evojail::test
