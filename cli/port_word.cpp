#include "cli/port_word.hpp"

#include <fmt/format.h>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "store/ports.hpp"

namespace evojail {

Result<PortWord> parse_port_word(const std::string& word) {
  if (word == "auto") return PortWord();
  const auto port = parse_number<std::uint16_t>(word, 1, 65535);
  if (port) return port;
  return std::unexpected(Error(fmt::format("'{}' is no port", printable(word)))
                             .hint("give a number from 1 to 65535, or auto"));
}

Result<std::uint16_t> take_port(const HostSettings& host, const std::string& name, PortWord word) {
  if (!word) return choose_port(host);
  CHECK(check_port_free(host, name, *word));
  return *word;
}

}  // namespace evojail
