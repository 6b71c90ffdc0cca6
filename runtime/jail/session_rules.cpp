#include "jail/session_rules.hpp"

#include "base/pack.hpp"

namespace evojail {

std::string encode(const SessionRules& rules) {
  Packer packer;
  packer.put(rules.limits);
  packer.put(rules.filter.program);
  return std::move(packer).take();
}

Result<SessionRules> decode_session_rules(std::string_view bytes) {
  SessionRules rules;
  Unpacker unpacker(bytes);
  if (!unpacker.take(rules.limits) || !unpacker.take(rules.filter.program) || !unpacker.done() ||
      rules.filter.program.empty()) {
    return fail("the rules for sessions are malformed");
  }
  return rules;
}

}  // namespace evojail
