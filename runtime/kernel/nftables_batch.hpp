#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/nftables_table.hpp"

namespace evojail::nft {

/// One transaction on the table `inet NAME`, as netlink messages in the order of the calls. Adding
/// what exists already is no error and changes nothing but a base chain's policy and the table's
/// flags.
class Batch {
 public:
  /// With `generation`, the kernel refuses the whole batch with ERESTART when the rule set has
  /// another generation by then (NFNL_BATCH_GENID).
  explicit Batch(std::string table, std::optional<std::uint32_t> generation = std::nullopt);

  void add_table();
  void delete_table();
  void add_chain(const std::string& name, const Chain& chain);  ///< without its rules
  void flush_chain(const std::string& name);
  void delete_chain(const std::string& name);
  void add_rule(const std::string& chain, const Rule& rule);
  void add_set(const std::string& name, const Set& set);  ///< without its elements
  void delete_set(const std::string& name);
  void add_elements(const std::string& name, const Set& set);
  void delete_elements(const std::string& name, const Set& set);
  void add_counter(const std::string& name, const Count& start);
  void delete_counter(const std::string& name);

  /// The messages, closed by the batch's end.
  [[nodiscard]] std::span<const char> finish();

  /// What the message with this sequence number does, for an error: {"adding", "inet evojail …"}.
  [[nodiscard]] std::pair<std::string, std::string> describe(std::uint32_t sequence) const;
  /// The message that asks for an acknowledgement, given once the whole batch is through.
  [[nodiscard]] static constexpr std::uint32_t acknowledged() { return 1; }

 private:
  struct Step {
    const char* operation;
    std::string object;
  };
  char* begin_message(const char* operation, std::string object);
  void end_message(const void* header);
  void put_elements(std::uint16_t type, std::uint16_t flags, const char* operation,
                    const std::string& name, const Set& set);

  std::string table_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::vector<Step> steps_;  // of the messages behind the batch's beginning, by sequence number
};

}  // namespace evojail::nft
