#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/fd.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

std::string_view sgr(Colour colour) {
  switch (colour) {
    case Colour::good:
      return "32";
    case Colour::warning:
      return "33";
    case Colour::bad:
      return "31";
    case Colour::faint:
      return "2";
    case Colour::none:
      break;
  }
  return {};
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool stdout_takes_colour() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb") && is_terminal(STDOUT_FILENO);
}

std::string coloured(std::string_view text, Colour colour, bool enabled) {
  if (!enabled || colour == Colour::none) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", sgr(colour), text);
}

bool ask_yes(std::string_view question) {
  std::fflush(stdout);
  const std::string text = fmt::format("{} [yes/NO] ", question);
  if (!write_all(STDERR_FILENO, "stderr", text)) return false;
  std::array<char, 64> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr) return false;
  const std::string_view answer = trim(line.data());
  return answer == "yes" || answer == "y";
}

}  // namespace evojail
