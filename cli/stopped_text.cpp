#include "cli/stopped_text.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"

namespace evojail {

std::string describe(const Stopped& stopped) {
  if (stopped.sessions) return fmt::format("{} ended", count_of(*stopped.sessions, "session"));
  if (stopped.killed == 0) return "its supervisor did not answer, and systemd ended it";
  return fmt::format("its supervisor, pid {}, did not answer and was killed", stopped.killed);
}

}  // namespace evojail
