#include <string>

#include "base/base64.hpp"
#include "base/printable.hpp"
#include "config/address.hpp"
#include "config/jail_name.hpp"
#include "config/size.hpp"
#include "fuzz.hpp"
#include "retention/civil_date.hpp"

// What is parsed from a single word of a command line or a file.
EVOJAIL_FUZZ(words) {
  if (const auto prefix = parse_prefix(input)) {
    const auto again = parse_prefix(to_string(*prefix));
    require(again && *again == *prefix, "a prefix comes back as it was");
  }
  if (const auto name = parse_jail_name(input)) {
    require(!name->contains('/') && !name->starts_with('.') && *name == input, "a name is a name");
  }
  if (is_inc_name(input)) {
    require(parse_civil_date(input.substr(0, 10)).has_value(), "an inc is of a day");
  }
  if (const auto size = parse_size(input)) {
    require(parse_size(format_size(*size)) == size, "a size comes back as it was");
  }
  if (const auto bytes = decode_base64(input)) {
    require(bytes->size() <= input.size() / 4 * 3, "base64 shrinks");
  }
  for (const char c : printable(input)) require(c >= ' ' && c <= '~', "printable is printable");
}
