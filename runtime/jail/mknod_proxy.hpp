#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// Makes device nodes for a jail, which cannot make them in its user namespace: unmodified clients
/// push them. Only root of the jail is served, only on the mounts of its own data (where nodev
/// keeps a node inert), and only while the host's own mounts of all places that a node can
/// come to lie in are nodev too.
class MknodProxy {
 public:
  /// @param init pid of the jail's init; `places` device_places() of the jail.
  [[nodiscard]] static Result<MknodProxy> make(int listener, int init, std::uint32_t base_uid,
                                               std::vector<std::string> places);

  /// Answers what waits at the listener. An error is one of the listener itself; what is refused
  /// goes to the caller as the errno of its call.
  [[nodiscard]] Result<void> serve_one();

 private:
  MknodProxy(int listener, std::uint32_t base_uid, std::vector<std::string> places,
             std::vector<std::uint64_t> mounts)
      : listener_(listener),
        base_uid_(base_uid),
        places_(std::move(places)),
        mounts_(std::move(mounts)) {}

  int listener_;
  std::uint32_t base_uid_;
  std::vector<std::string> places_;
  std::vector<std::uint64_t> mounts_;  ///< ids of the mounts that nodes may be made on
};

}  // namespace evojail
