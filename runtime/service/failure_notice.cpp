#include "service/failure_notice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr std::string_view kError = "EVOJAIL_ERROR=";
constexpr std::string_view kHint = "EVOJAIL_HINT=";
constexpr std::string_view kStatus = "failed: ";

/// A notification's variables end at line ends.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Error make_error(std::string_view message, std::string_view hint) {
  return Error(std::string(message)).hint(hint);
}

}  // namespace

std::string format_failure_notice(const Error& error) {
  const std::string message = one_line(error.message());
  std::string notice = fmt::format("STATUS={}{}\n{}{}", kStatus, message, kError, message);
  if (!error.hint().empty()) notice += fmt::format("\n{}{}", kHint, one_line(error.hint()));
  return notice;
}

Notice parse_notice(std::string_view variables) {
  Notice notice;
  std::optional<std::string_view> message;
  std::string_view hint;
  for (const std::string_view line : split_lines(variables)) {
    if (line == "READY=1") notice.ready = true;
    if (line.starts_with(kError)) message = line.substr(kError.size());
    if (line.starts_with(kHint)) hint = line.substr(kHint.size());
  }
  if (message) notice.failure = make_error(*message, hint);
  return notice;
}

std::optional<Error> failure_in_status(std::string_view status_text) {
  if (!status_text.starts_with(kStatus)) return std::nullopt;
  return make_error(status_text.substr(kStatus.size()), {});
}

}  // namespace evojail
