#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// A listening SOCK_SEQPACKET socket (unix(7)) with this name and mode 0600; what had the name
/// before is replaced.
[[nodiscard]] Result<Fd> listen_seqpacket(const std::string& path);

/// Connects to one. Error codes ENOENT and ECONNREFUSED: nobody is there; EAGAIN: somebody is, and
/// did not accept in time. `patience` holds for what is sent and received later, too.
[[nodiscard]] Result<Fd> connect_seqpacket(const std::string& path, std::chrono::seconds patience);

/// How long sending and receiving may wait (SO_RCVTIMEO, SO_SNDTIMEO): EAGAIN afterwards.
[[nodiscard]] Result<void> set_patience(int socket, std::chrono::seconds patience);

/// The process that made the other end (SO_PEERCRED); 0: not known.
[[nodiscard]] pid_t peer_pid(int socket);

/// accept4(2), for a peer that is root (SO_PEERCRED); anybody else is refused.
[[nodiscard]] Result<Fd> accept_root(int listener);

}  // namespace evojail
