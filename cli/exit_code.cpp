#include "cli/exit_code.hpp"

namespace evojail {

int exit_code_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::no_such_jail:
      return exit_code::no_such_jail;
    case ErrorKind::layout_version:
      return exit_code::layout_version;
    case ErrorKind::busy:
    case ErrorKind::no_answer:
    case ErrorKind::failed:
      break;
  }
  return exit_code::failed;
}

}  // namespace evojail
