#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "kernel/nftables_batch.hpp"

struct nlmsghdr;

namespace evojail::nft {

/// What to ask the kernel for: NFT_MSG_GET*, of everything (dump) or of the one object named by the
/// attributes.
struct Request {
  std::uint16_t type = 0;
  std::uint8_t family = 0;  ///< NFPROTO_*
  bool dump = false;
  struct Attribute {
    std::uint16_t type = 0;    ///< NFTA_*
    std::string_view text;     ///< a name, or
    std::uint32_t number = 0;  ///< a number, where the text is empty
  };
  std::vector<Attribute> attributes = {};
  /// Of one element of a set: its key.
  std::span<const std::uint8_t> key = {};
};

/// The hint of errors that come from a kernel without it.
inline constexpr std::string_view kNoNfTables =
    "the kernel has no nf_tables: load the module nf_tables";

/// A netlink socket to nf_tables of the network namespace that the process is in.
class Socket {
 public:
  [[nodiscard]] static Result<Socket> open();
  /// One that hears of every change (NFNLGRP_NFTABLES); non-blocking.
  [[nodiscard]] static Result<Socket> open_monitor();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The address that the kernel reports this socket's changes under.
  [[nodiscard]] std::uint32_t port() const noexcept { return port_; }

  /// Sends the transaction and waits for the kernel's word. An error names the step that failed;
  /// its code() is ERESTART where the generation was another.
  [[nodiscard]] Result<void> commit(Batch batch);

  using Take = std::function<void(const nlmsghdr&)>;
  /// Hands every message of the answer to `take`. A dump that was cut short by somebody's change
  /// has code() EINTR, a thing that is not there ENOENT.
  [[nodiscard]] Result<void> query(const Request& request, const Take& take);

  /// Hands over what has arrived, without waiting. False: messages were lost (ENOBUFS).
  [[nodiscard]] Result<bool> drain(const Take& take);

 private:
  Socket(Fd fd, std::uint32_t port) : fd_(std::move(fd)), port_(port) {}
  [[nodiscard]] Result<void> send(std::string_view bytes) const;
  /// The length of what came; 0: nothing is there (only where `wait` is false).
  [[nodiscard]] Result<std::size_t> receive(bool wait);

  Fd fd_;
  std::uint32_t port_;
  std::uint32_t sequence_ = 0x80000000;  // of questions; a batch counts its own from 0
  std::vector<char> buffer_;
};

}  // namespace evojail::nft
