#include "fuzz.hpp"
#include "jail/init_protocol.hpp"

// One message between supervisor and init; what init reads and says is as trusted as init.
EVOJAIL_FUZZ(init_message) {
  const auto message = decode_init_message(input);
  if (!message) return;
  require(message->kind <= InitMessage::Kind::plan, "a kind is one of those that exist");
  require(message->text.size() + message->hint.size() <= input.size(), "nothing is made up");
  const auto again = decode_init_message(encode(*message));
  require(again && again->kind == message->kind && again->id == message->id &&
              again->value == message->value && again->text == message->text &&
              again->hint == message->hint,
          "a message can be passed on");
}
