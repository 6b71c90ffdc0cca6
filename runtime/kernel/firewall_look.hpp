#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "kernel/nftables_socket.hpp"
#include "kernel/nftables_table.hpp"

namespace evojail {

/// What the kernel's table has of what all jails share and of this jail: the part that a change of
/// the jail concerns. Of the maps, it holds the elements that lead to the jail's chains, and what
/// else sits on a key that `want` needs; where that is another jail's, an error, and `in_the_way`
/// is that jail's name.
[[nodiscard]] Result<nft::Table> look_at_jail(nft::Socket& socket, const std::string& table,
                                              std::string_view jail, const nft::Table& want,
                                              std::string& in_the_way);

}  // namespace evojail
