#include "cli/report.hpp"

#include "cli/exit_code.hpp"
#include "cli/message.hpp"

namespace evojail {

int report(const Error& error) {
  print_error(error);
  return exit_code_of(error);
}

int report(const Result<void>& result) { return result ? exit_code::done : report(result.error()); }

}  // namespace evojail
