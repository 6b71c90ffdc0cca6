#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// A listening SOCK_SEQPACKET socket (unix(7)) with this name and mode 0600; what had the name
/// before is replaced.
[[nodiscard]] Result<Fd> listen_seqpacket(const std::string& path);

/// Connects to one. Error codes ENOENT and ECONNREFUSED: nobody is there.
[[nodiscard]] Result<Fd> connect_seqpacket(const std::string& path);

/// accept4(2), for a peer that is root (SO_PEERCRED); anybody else is refused.
[[nodiscard]] Result<Fd> accept_root(int listener);

}  // namespace evojail
