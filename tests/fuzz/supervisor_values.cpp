#include "jail/supervisor_values.hpp"

#include <algorithm>

#include "fuzz.hpp"

// The state that a supervisor leaves for the program that takes its place.
EVOJAIL_FUZZ(supervisor_values) {
  const auto values = decode_supervisor_values(input);
  if (!values) {
    require(values.error().message().contains("handed over"), "an error says what was read");
    return;
  }
  auto fds = descriptors(*values);
  require(std::ranges::all_of(fds, [](int fd) { return fd > 2; }),
          "standard input, output and error stay");
  std::ranges::sort(fds);
  require(std::ranges::adjacent_find(fds) == fds.end(), "a descriptor has one owner");
  require(values->pid > 1, "init is a process that may be signalled");
  const auto text = encode(*values);
  const auto again = decode_supervisor_values(text);
  require(again && encode(*again) == text, "a state can be handed on");
}
