#pragma once

#include <string>

namespace evojail {

/// One document as every command prints it: schema_version in front of the members; bytes that are
/// no UTF-8 are replaced.
template <class OrderedJson>
[[nodiscard]] std::string print_document(const OrderedJson& members) {
  OrderedJson document = {{"schema_version", 1}};
  document.update(members);
  return document.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace evojail
