#include "config/authorized_keys.hpp"

#include <string>

#include "base/parse.hpp"
#include "fuzz.hpp"

EVOJAIL_FUZZ(authorized_keys) {
  const auto keys = check_authorized_keys(input, "keys");
  if (!keys) {
    require(!keys.error().message().empty(), "an error says something");
    return;
  }
  require(*keys > 0, "a sound file holds a key");
  require(!input.contains("PRIVATE KEY-----\n"), "no private key passes");
  std::size_t counted = 0;
  for (const std::string_view line : split_lines(input)) {
    if (check_authorized_keys(line, "keys")) ++counted;
  }
  require(counted == *keys, "each line is judged by itself");
}
