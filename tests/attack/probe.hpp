#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/// The pieces of `atk`, a static program that the attack suite puts into jails. A probe is one
/// attempt at one thing that must not be possible, in a process of its own; the rows of the suite
/// (tests/attack/rows) name probes and say what each comes to with and without each layer.
namespace evojail::attack {

/// What an attempt came to: 0 if the attacker has what it wanted, otherwise the errno of the step
/// that stopped it.
using Outcome = int;

/// The call does not exist on this processor.
constexpr Outcome kAbsent = -1;
/// No answer came in time.
constexpr Outcome kSilence = ETIMEDOUT;

struct Probe {
  /// Where an attacker stands.
  enum class Place {
    session,  ///< a command of an authenticated session
    service,  ///< in sshd's stead, the accepted connection on descriptors 0 and 1
  };

  const char* name;
  Place place;
  Outcome (*attempt)();
};

// Each file of probes/ has one list.
std::span<const Probe> connection_probes();
std::span<const Probe> descriptor_probes();
std::span<const Probe> device_probes();
std::span<const Probe> file_probes();
std::span<const Probe> foreign_file_probes();
std::span<const Probe> host_probes();
std::span<const Probe> interface_probes();
std::span<const Probe> memory_probes();
std::span<const Probe> mount_probes();
std::span<const Probe> namespace_probes();
std::span<const Probe> process_probes();
std::span<const Probe> share_probes();
std::span<const Probe> socket_probes();

/// Of a system call's result.
inline Outcome outcome_of(long result) { return result < 0 ? errno : 0; }

/// Of a call that gives a descriptor; it is closed again.
Outcome outcome_of_fd(long fd);

/// A directory that the attacker may write to: $ATK_DATA, or /data.
const std::string& data_directory();

/// A path of the tree of programs: below $ATK_BASE, or /.
std::string base_path(const char* path);

/// "../" more often than any directory is deep.
std::string above_root();

/// The port of the host's loopback where the victim (victim.hpp) greets whoever reaches it.
extern std::uint16_t victim_port;

/// A new file in the data directory, open for reading and writing. errno says why not.
int make_file(const std::string& name, std::size_t bytes = 4096);

/// Upper halves that the kernel drops from a 32-bit argument and a filter must not look at.
constexpr unsigned long kHighBits = 0xdeadbeef'00000000;

}  // namespace evojail::attack
