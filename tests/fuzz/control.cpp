#include "jail/control.hpp"

#include "fuzz.hpp"

// What comes over a jail's control socket, either way; the socket is root's.
EVOJAIL_FUZZ(control) {
  if (const auto request = decode_control_request(input)) {
    const auto again = decode_control_request(encode(*request));
    require(again && again->kind == request->kind, "a request can be passed on");
  }
  if (const auto reply = decode_control_reply(input)) {
    const auto text = encode(*reply);
    const auto again = decode_control_reply(text);
    require(again && encode(*again) == text, "a reply can be passed on");
    require(again->sessions == reply->sessions && again->error == reply->error,
            "a reply stays what it is");
  }
}
