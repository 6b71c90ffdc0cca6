#include "cli/start_again.hpp"

#include <fmt/format.h>

#include "cli/message.hpp"
#include "cli/select.hpp"
#include "cli/stopped_text.hpp"
#include "store/recover.hpp"

namespace evojail {

Error start_again(const Invocation& invocation, const std::string& name,
                  const std::optional<Stopped>& stopped, Error error) {
  if (!stopped) return error;
  const auto moving = is_moving(invocation.host, name);
  if (!moving || *moving) return error;
  if (const auto started = start_jail(service_of(invocation), name); !started) {
    print_error(started.error());
  } else if (!invocation.quiet) {
    print_note(
        fmt::format("jail '{}' was stopped and is started again; {}", name, describe(*stopped)));
  }
  return error;
}

}  // namespace evojail
