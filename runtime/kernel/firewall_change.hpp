#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "kernel/nftables_batch.hpp"
#include "kernel/nftables_table.hpp"

namespace evojail {

/// Puts into `batch` what turns the part `have` of a table into `want`: objects and elements that
/// only `have` has go, those that only `want` has come, chains whose rules differ are written anew,
/// what is the same is not touched. Counters that stay keep their values.
/// @return whether there was anything to do. A base chain is made anew where it differs; any other
/// chain on a hook, or a map of another kind, cannot be mended without what else refers to it: an
/// error.
[[nodiscard]] Result<bool> put_changes(nft::Batch& batch, const nft::Table& have,
                                       const nft::Table& want);

/// Puts everything of `table` into `batch`; counters that `counts` names start from there.
void put_table(nft::Batch& batch, const nft::Table& table,
               const std::map<std::string, nft::Count, std::less<>>& counts);

}  // namespace evojail
