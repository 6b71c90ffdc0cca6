#include "cli/bulk.hpp"

#include <fmt/format.h>

#include "cli/exit_code.hpp"
#include "cli/message.hpp"
#include "cli/text.hpp"

namespace evojail {

int Failures::finish(std::size_t tried, std::string_view noun) const {
  if (list_.empty()) return exit_code::done;
  if (tried == 1) {
    print_error(list_.front().second);
    return exit_code_of(list_.front().second);
  }
  print_note(fmt::format("{} of {} failed:", list_.size(), count_of(tried, noun)));
  for (const auto& [jail, error] : list_) {
    Error named = error;
    // Most errors name their jail already.
    print_error(error.message().contains(fmt::format("'{}'", jail)) ? named
                                                                    : std::move(named).in(jail));
  }
  return exit_code::failed;
}

}  // namespace evojail
