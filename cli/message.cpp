#include "cli/message.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/fd.hpp"

namespace evojail {
namespace {

void write_message(const std::string& text) {
  // What went to stdout before belongs before it on a terminal, too.
  std::fflush(stdout);
  // Nobody is left to tell where stderr cannot be written.
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, "stderr", text);
}

}  // namespace

std::string format_error(const Error& error) {
  std::string text = fmt::format("evojail: {}\n", error.message());
  if (!error.hint().empty()) text += fmt::format("hint: {}\n", error.hint());
  return text;
}

void print_error(const Error& error) { write_message(format_error(error)); }

void print_warning(std::string_view text) {
  write_message(fmt::format("evojail: warning: {}\n", text));
}

void print_note(std::string_view text) { write_message(fmt::format("evojail: {}\n", text)); }

}  // namespace evojail
