#include "kernel/nftables_read.hpp"

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "kernel/nftables_reply.hpp"

namespace evojail::nft {
namespace {

/// A query in which "there is no such thing" is an answer: false.
Result<bool> ask(Socket& socket, const Request& request, const Socket::Take& take) {
  auto asked = socket.query(request, take);
  if (asked) return true;
  if (asked.error().code() == ENOENT) return false;
  return std::unexpected(std::move(asked).error());
}

bool is_ours(const Owner& owner, const std::string& table) {
  return owner.family == NFPROTO_INET && owner.table == table;
}

/// A message that libnftnl cannot read must not pass for nothing: it may be a rule.
void note_unreadable(Table& table) { table.other.emplace_back("something unreadable"); }

Request dump(std::uint16_t type, std::uint16_t table_attribute, const std::string& table) {
  return {type, NFPROTO_INET, true, {{table_attribute, table}}};
}

Result<void> read_chains(Socket& socket, const std::string& name, Table& table) {
  CHECK(ask(socket, dump(NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE, name), [&](const nlmsghdr& message) {
    auto found = decode_chain(message);
    if (!found) return note_unreadable(table);
    if (!is_ours(found->owner, name)) return;
    table.chains[found->name].hook = std::move(found->chain.hook);
  }));
  CHECK(ask(socket, dump(NFT_MSG_GETRULE, NFTA_RULE_TABLE, name), [&](const nlmsghdr& message) {
    auto found = decode_rule(message);
    if (!found) return note_unreadable(table);
    if (!is_ours(found->owner, name)) return;
    table.chains[found->chain].rules.push_back(std::move(found->rule));
  }));
  return {};
}

Result<void> read_sets(Socket& socket, const std::string& name, Table& table) {
  CHECK(ask(socket, dump(NFT_MSG_GETSET, NFTA_SET_TABLE, name), [&](const nlmsghdr& message) {
    auto found = decode_set(message);
    if (!found) return note_unreadable(table);
    if (is_ours(found->owner, name)) table.sets[found->name] = std::move(found->set);
  }));
  for (auto& [set, content] : table.sets) {
    if ((content.flags & NFT_SET_EVAL) != 0) continue;
    TRY(content.elements,
        read_elements(socket, name, set, (content.flags & NFT_SET_INTERVAL) != 0));
  }
  return {};
}

Result<void> read_objects(Socket& socket, const std::string& name, Table& table) {
  CHECK(ask(socket, dump(NFT_MSG_GETOBJ, NFTA_OBJ_TABLE, name), [&](const nlmsghdr& message) {
    const auto found = decode_object(message);
    if (!found) return note_unreadable(table);
    if (!is_ours(found->owner, name)) return;
    if (found->type == NFT_OBJECT_COUNTER) {
      table.counters[found->name] = found->count;
    } else {
      table.other.push_back("object " + found->name);
    }
  }));
  CHECK(ask(socket, dump(NFT_MSG_GETFLOWTABLE, NFTA_FLOWTABLE_TABLE, name),
            [&](const nlmsghdr& message) {
              if (auto found = decode_flowtable(message, name)) {
                table.other.push_back("flowtable " + *found);
              }
            }));
  return {};
}

}  // namespace

Result<std::uint32_t> read_generation(Socket& socket) {
  std::optional<std::uint32_t> generation;
  auto asked =
      socket.query({NFT_MSG_GETGEN, NFPROTO_UNSPEC, false, {}},
                   [&](const nlmsghdr& message) { generation = decode_generation(message); });
  if (!asked) {
    Error error = std::move(asked).error();
    // nfnetlink_rcv_msg(): no such subsystem. Nothing else in this question could be invalid.
    return std::unexpected(error.code() == EINVAL ? std::move(error).hint(kNoNfTables) : error);
  }
  if (!generation) return fail("nf_tables did not tell the generation of its rules");
  return *generation;
}

Result<std::optional<std::uint32_t>> read_flags(Socket& socket, const std::string& table) {
  std::optional<std::uint32_t> flags;
  const Request request{NFT_MSG_GETTABLE, NFPROTO_INET, false, {{NFTA_TABLE_NAME, table}}};
  CHECK(ask(socket, request,
            [&](const nlmsghdr& message) { flags = decode_table_flags(message).value_or(0); }));
  return flags;
}

Result<std::optional<Table>> read_table(Socket& socket, const std::string& table) {
  TRY(const auto flags, read_flags(socket, table));
  if (!flags) return std::nullopt;
  Table found;
  found.flags = *flags;
  CHECK(read_chains(socket, table, found));
  CHECK(read_sets(socket, table, found));
  CHECK(read_objects(socket, table, found));
  return found;
}

Result<std::vector<Element>> read_elements(Socket& socket, const std::string& table,
                                           std::string_view set, bool interval) {
  std::vector<FoundElement> found;
  bool readable = true;
  const Request request{NFT_MSG_GETSETELEM,
                        NFPROTO_INET,
                        true,
                        {{NFTA_SET_ELEM_LIST_TABLE, table}, {NFTA_SET_ELEM_LIST_SET, set}}};
  CHECK(ask(socket, request, [&](const nlmsghdr& message) {
    auto some = decode_elements(message);
    readable &= some.has_value();
    if (some) std::ranges::move(*some, std::back_inserter(found));
  }));
  if (!readable) return fail_errno("reading", fmt::format("set {}", set), EBADMSG);
  return join_elements(std::move(found), interval);
}

Result<std::optional<Element>> read_element(Socket& socket, const std::string& table,
                                            std::string_view set, const Bytes& key) {
  std::optional<Element> element;
  const Request request{NFT_MSG_GETSETELEM,
                        NFPROTO_INET,
                        false,
                        {{NFTA_SET_ELEM_LIST_TABLE, table}, {NFTA_SET_ELEM_LIST_SET, set}},
                        key};
  CHECK(ask(socket, request, [&](const nlmsghdr& message) {
    auto found = decode_elements(message);
    if (found && found->size() == 1) element = std::move(found->front().element);
  }));
  return element;
}

Result<std::optional<Chain>> read_chain(Socket& socket, const std::string& table,
                                        const std::string& name) {
  std::optional<Chain> chain;
  CHECK(ask(
      socket,
      {NFT_MSG_GETCHAIN, NFPROTO_INET, false, {{NFTA_CHAIN_TABLE, table}, {NFTA_CHAIN_NAME, name}}},
      [&](const nlmsghdr& message) {
        if (auto found = decode_chain(message)) chain = std::move(found->chain);
      }));
  if (!chain) return std::nullopt;
  CHECK(ask(
      socket,
      {NFT_MSG_GETRULE, NFPROTO_INET, true, {{NFTA_RULE_TABLE, table}, {NFTA_RULE_CHAIN, name}}},
      [&](const nlmsghdr& message) {
        auto found = decode_rule(message);
        chain->rules.push_back(found ? std::move(found->rule) : Rule{Other{"unreadable"}});
      }));
  return chain;
}

Result<std::optional<Set>> read_set_kind(Socket& socket, const std::string& table,
                                         std::string_view name) {
  std::optional<Set> set;
  CHECK(ask(socket,
            {NFT_MSG_GETSET, NFPROTO_INET, false, {{NFTA_SET_TABLE, table}, {NFTA_SET_NAME, name}}},
            [&](const nlmsghdr& message) {
              if (auto found = decode_set(message)) set = std::move(found->set);
            }));
  return set;
}

Result<std::optional<Set>> read_set(Socket& socket, const std::string& table,
                                    const std::string& name) {
  TRY(auto set, read_set_kind(socket, table, name));
  if (set && (set->flags & NFT_SET_EVAL) == 0) {
    TRY(set->elements, read_elements(socket, table, name, (set->flags & NFT_SET_INTERVAL) != 0));
  }
  return set;
}

Result<std::optional<Count>> read_counter(Socket& socket, const std::string& table,
                                          std::string_view name) {
  std::optional<Count> count;
  const Request request{
      NFT_MSG_GETOBJ,
      NFPROTO_INET,
      false,
      {{NFTA_OBJ_TABLE, table}, {NFTA_OBJ_NAME, name}, {NFTA_OBJ_TYPE, {}, NFT_OBJECT_COUNTER}}};
  CHECK(ask(socket, request, [&](const nlmsghdr& message) {
    if (const auto found = decode_object(message)) count = found->count;
  }));
  return count;
}

Result<std::map<std::string, Count, std::less<>>> read_counters(Socket& socket,
                                                                const std::string& table) {
  Table found;
  CHECK(read_objects(socket, table, found));
  return std::move(found.counters);
}

}  // namespace evojail::nft
