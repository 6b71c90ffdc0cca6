#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kernel/nftables_socket.hpp"
#include "kernel/nftables_table.hpp"

/// Reading nf_tables' objects of one table. A table or object that is not there is empty or none,
/// not an error.
namespace evojail::nft {

[[nodiscard]] Result<std::uint32_t> read_generation(Socket& socket);

/// The table's flags (NFT_TABLE_F_*); none when there is no such table.
[[nodiscard]] Result<std::optional<std::uint32_t>> read_flags(Socket& socket,
                                                              const std::string& table);

/// The whole table, elements of dynamic sets excepted; none when there is no such table.
[[nodiscard]] Result<std::optional<Table>> read_table(Socket& socket, const std::string& table);

/// One chain with its rules, one set with its elements.
[[nodiscard]] Result<std::optional<Chain>> read_chain(Socket& socket, const std::string& table,
                                                      const std::string& name);
[[nodiscard]] Result<std::optional<Set>> read_set(Socket& socket, const std::string& table,
                                                  const std::string& name);

/// A set without its elements, or the elements alone, or the one with this key.
[[nodiscard]] Result<std::optional<Set>> read_set_kind(Socket& socket, const std::string& table,
                                                       std::string_view name);
[[nodiscard]] Result<std::vector<Element>> read_elements(Socket& socket, const std::string& table,
                                                         std::string_view set, bool interval);
[[nodiscard]] Result<std::optional<Element>> read_element(Socket& socket, const std::string& table,
                                                          std::string_view set, const Bytes& key);

[[nodiscard]] Result<std::optional<Count>> read_counter(Socket& socket, const std::string& table,
                                                        std::string_view name);

/// All counters of the table.
[[nodiscard]] Result<std::map<std::string, Count, std::less<>>> read_counters(
    Socket& socket, const std::string& table);

}  // namespace evojail::nft
