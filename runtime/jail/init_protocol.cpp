#include "jail/init_protocol.hpp"

#include <cstring>

namespace evojail {
namespace {

struct Header {
  std::uint8_t kind;
  std::uint32_t id;
  std::int32_t value;
  std::uint32_t text_size;
};

}  // namespace

InitMessage failure_of(const Error& error) {
  return {.kind = InitMessage::Kind::failed,
          .value = error.code(),
          .text = error.message(),
          .hint = error.hint()};
}

std::string encode(const InitMessage& message) {
  Header header{};
  header.kind = static_cast<std::uint8_t>(message.kind);
  header.id = message.id;
  header.value = message.value;
  header.text_size = static_cast<std::uint32_t>(message.text.size());
  std::string bytes(sizeof header, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes + message.text + message.hint;
}

Result<InitMessage> decode_init_message(std::string_view bytes) {
  Header header{};
  if (bytes.size() < sizeof header) return fail("a message of init is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  bytes.remove_prefix(sizeof header);
  if (header.kind > static_cast<std::uint8_t>(InitMessage::Kind::plan) ||
      header.text_size > bytes.size()) {
    return fail("a message of init is malformed");
  }
  return InitMessage{static_cast<InitMessage::Kind>(header.kind), header.id, header.value,
                     std::string(bytes.substr(0, header.text_size)),
                     std::string(bytes.substr(header.text_size))};
}

}  // namespace evojail
