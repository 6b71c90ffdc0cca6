#include <exception>

#include "cli/exit_code.hpp"
#include "cli/message.hpp"
#include "cli/program.hpp"

int main(int argc, char** argv) {
  try {
    return evojail::run_program({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::exception& error) {  // out of memory, above all
    evojail::print_error(evojail::Error(error.what()));
    return evojail::exit_code::failed;
  }
}
