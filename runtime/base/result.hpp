#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace evojail {

/// What an error means to whoever called the program; cli/ turns it into an exit code.
enum class ErrorKind {
  failed,          ///< anything without a code of its own
  no_such_jail,    ///< the name is well formed, but no jail has it
  layout_version,  ///< the jail was laid out by another version
  busy,            ///< somebody else holds a lock
  no_answer,       ///< a process that is there does not answer
};

/// An error as a person reads it: what was being done, to which object, what the system said, and
/// where it helps what to do about it. The leaf names operation and object; callers add context in
/// front with `in()`. errno is taken as a value, so nothing can overwrite it in between.
class [[nodiscard]] Error {
 public:
  explicit Error(std::string message, ErrorKind kind = ErrorKind::failed);

  /// An operation on `object` failed with `code`: "opening '/x': No such file or directory".
  static Error system(std::string_view operation, std::string_view object, int code);

  /// Adds context in front: `in("starting jail 'web1'")`.
  Error in(std::string_view context) &&;

  /// One sentence on how to mend it; the first hint, nearest to the cause, stands.
  Error hint(std::string_view text) &&;

  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  /// The errno value behind the error, 0 where there is none.
  [[nodiscard]] int code() const noexcept { return code_; }
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }

 private:
  std::string message_;
  std::string hint_;
  int code_ = 0;
  ErrorKind kind_ = ErrorKind::failed;
};

/// A value, or the Error that stood in its way.
template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail("message")` from a function that returns any Result.
[[nodiscard]] std::unexpected<Error> fail(std::string message, ErrorKind kind = ErrorKind::failed);

/// `return fail_errno("opening", path)`: with the errno of the call just made, or `code`.
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view operation, std::string_view object,
                                                int code = errno);

}  // namespace evojail

#define EVOJAIL_JOIN_(a, b) a##b
#define EVOJAIL_JOIN(a, b) EVOJAIL_JOIN_(a, b)
#define EVOJAIL_TRY_(tmp, declaration, expression)          \
  auto tmp = (expression);                                  \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  declaration = *std::move(tmp)

/// TRY(auto fd, open_dir(path)): the value, or return the error to the caller.
#define TRY(declaration, expression) \
  EVOJAIL_TRY_(EVOJAIL_JOIN(try_, __COUNTER__), declaration, expression)

/// CHECK(write_all(fd, text)): go on, or return the error to the caller.
#define CHECK(expression) \
  if (auto checked = (expression); !checked) return std::unexpected(std::move(checked).error())
