#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/address.hpp"

namespace evojail {

/// An open session, as far as the next connection is concerned.
struct SessionSlot {
  std::uint32_t id = 0;
  Prefix source;        ///< the peer's address
  bool proven = false;  ///< it runs a command: somebody with a key has logged in
  bool ending = false;  ///< it has been told to end, and is about to
};

/// What becomes of a new connection.
struct Admission {
  enum class Kind {
    admit,
    replace,  ///< admit it, and end the session `id`
    refuse,   ///< for `reason`
  };
  Kind kind = Kind::admit;
  std::uint32_t id = 0;
  std::string reason = {};
};

/// How many sessions of one source may be open at once without having proven themselves.
[[nodiscard]] unsigned unproven_share(unsigned most);

/// MAX_SESSIONS, `most`, so that strangers who only connect cannot keep the client out: one source
/// (an IPv4 address, an IPv6 /64) holds at most its share of unproven sessions, and when all slots
/// are taken, the source that holds most of them gives up its oldest. A proven session is never
/// ended for another. That a session is proven is the jail's own word, and worth just this: a
/// client that lies takes slots from nobody but itself. Pure.
/// @param open in the order in which they began.
[[nodiscard]] Admission admit(const std::vector<SessionSlot>& open, const Prefix& source,
                              unsigned most);

}  // namespace evojail
