#include "service/unit_name.hpp"

#include <fmt/format.h>

namespace evojail {
namespace {

bool stays(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
         c == '_' || c == '.';
}

}  // namespace

std::string escape_unit_instance(std::string_view name) {
  std::string escaped;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '/') {
      escaped += '-';
    } else if (stays(c) && !(c == '.' && i == 0)) {
      escaped += c;
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

std::string service_unit(std::string_view name) {
  return fmt::format("evojail@{}.service", escape_unit_instance(name));
}

}  // namespace evojail
