#include "base/result.hpp"

#include <fmt/format.h>

#include <system_error>

namespace evojail {

Error::Error(std::string message, ErrorKind kind) : message_(std::move(message)), kind_(kind) {}

Error Error::system(std::string_view operation, std::string_view object, int code) {
  Error error(fmt::format("{} '{}': {}", operation, object, std::generic_category().message(code)));
  error.code_ = code;
  return error;
}

Error Error::in(std::string_view context) && {
  message_ = fmt::format("{}: {}", context, message_);
  return std::move(*this);
}

Error Error::hint(std::string_view text) && {
  if (hint_.empty()) hint_ = text;
  return std::move(*this);
}

std::unexpected<Error> fail(std::string message, ErrorKind kind) {
  return std::unexpected(Error(std::move(message), kind));
}

std::unexpected<Error> fail_errno(std::string_view operation, std::string_view object, int code) {
  return std::unexpected(Error::system(operation, object, code));
}

}  // namespace evojail
