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

/// The whole table, elements of dynamic sets excepted; none when there is no such table.
[[nodiscard]] Result<std::optional<Table>> read_table(Socket& socket, const std::string& table);

[[nodiscard]] Result<std::vector<Element>> read_elements(Socket& socket, const std::string& table,
                                                         std::string_view set, bool interval);

[[nodiscard]] Result<bool> has_chain(Socket& socket, const std::string& table,
                                     std::string_view name);
[[nodiscard]] Result<bool> has_set(Socket& socket, const std::string& table, std::string_view name);
[[nodiscard]] Result<std::optional<Count>> read_counter(Socket& socket, const std::string& table,
                                                        std::string_view name);

/// All counters of the table.
[[nodiscard]] Result<std::map<std::string, Count, std::less<>>> read_counters(
    Socket& socket, const std::string& table);

}  // namespace evojail::nft
