#include "jail/session_rules.hpp"

#include <cstring>

namespace evojail {
namespace {

template <class T>
void append(std::string& bytes, const std::vector<T>& values) {
  const std::uint64_t count = values.size();
  bytes.append(reinterpret_cast<const char*>(&count), sizeof count);
  bytes.append(reinterpret_cast<const char*>(values.data()), count * sizeof(T));
}

template <class T>
bool take(std::string_view& bytes, std::vector<T>& values) {
  std::uint64_t count = 0;
  if (bytes.size() < sizeof count) return false;
  std::memcpy(&count, bytes.data(), sizeof count);
  bytes.remove_prefix(sizeof count);
  if (count > bytes.size() / sizeof(T)) return false;
  values.resize(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return true;
}

}  // namespace

std::string encode(const SessionRules& rules) {
  std::string bytes;
  append(bytes, rules.limits);
  append(bytes, rules.filter.program);
  return bytes;
}

Result<SessionRules> decode_session_rules(std::string_view bytes) {
  SessionRules rules;
  if (!take(bytes, rules.limits) || !take(bytes, rules.filter.program) || !bytes.empty() ||
      rules.filter.program.empty()) {
    return fail("the rules for sessions are malformed");
  }
  return rules;
}

}  // namespace evojail
