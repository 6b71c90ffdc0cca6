#include "kernel/nftables_batch.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "kernel/nftables_encode.hpp"

namespace evojail::nft {
namespace {

// NLA_HDRLEN, whose macro mixes signs.
constexpr std::size_t kAttributeHeader = sizeof(nlattr);

// libnftnl writes without a bound. The largest message is one of elements: their nested list ends
// below 64 KiB (its length has 16 bits), and kElements of them stay below that.
constexpr std::size_t kRoom = 128UL << 10;
constexpr std::size_t kElements = 200;

// nft's own numbers (its include/datatype.h, enum byteorder), kept in a set's user data for its
// listing.
constexpr std::uint32_t kHostOrder = 1;
constexpr std::uint32_t kNetworkOrder = 2;

template <class T>
using Freed = std::unique_ptr<T, void (*)(const T*)>;

/// libnftnl fails to make an object only when memory is gone.
template <class T>
T* made(T* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

template <class T, class Name>
void set_names(T* object, int (*set)(T*, std::uint16_t, const char*), Name table_attribute,
               const std::string& table, Name name_attribute, const std::string& name) {
  if (set(object, static_cast<std::uint16_t>(table_attribute), table.c_str()) != 0 ||
      set(object, static_cast<std::uint16_t>(name_attribute), name.c_str()) != 0) {
    throw std::bad_alloc();
  }
}

using Set_ = Freed<nftnl_set>;

Set_ new_set(const std::string& table, const std::string& name) {
  Set_ set(made(nftnl_set_alloc()), nftnl_set_free);
  set_names(set.get(), nftnl_set_set_str, NFTNL_SET_TABLE, table, NFTNL_SET_NAME, name);
  nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, NFPROTO_INET);
  return set;
}

Freed<nftnl_chain> new_chain(const std::string& table, const std::string& name) {
  Freed<nftnl_chain> chain(made(nftnl_chain_alloc()), nftnl_chain_free);
  set_names(chain.get(), nftnl_chain_set_str, NFTNL_CHAIN_TABLE, table, NFTNL_CHAIN_NAME, name);
  return chain;
}

Freed<nftnl_rule> new_rule(const std::string& table, const std::string& chain) {
  Freed<nftnl_rule> rule(made(nftnl_rule_alloc()), nftnl_rule_free);
  set_names(rule.get(), nftnl_rule_set_str, NFTNL_RULE_TABLE, table, NFTNL_RULE_CHAIN, chain);
  nftnl_rule_set_u32(rule.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
  return rule;
}

struct ObjectFree {
  void operator()(nftnl_obj* object) const { nftnl_obj_free(object); }
};
using Object = std::unique_ptr<nftnl_obj, ObjectFree>;

Object new_counter(const std::string& table, const std::string& name) {
  Object object(made(nftnl_obj_alloc()));
  nftnl_obj_set_str(object.get(), NFTNL_OBJ_TABLE, table.c_str());
  nftnl_obj_set_str(object.get(), NFTNL_OBJ_NAME, name.c_str());
  nftnl_obj_set_u32(object.get(), NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
  return object;
}

using Userdata = std::unique_ptr<nftnl_udata_buf, void (*)(const nftnl_udata_buf*)>;

/// A comment as nft writes and prints it.
Userdata comment(std::uint8_t type, const std::string& text) {
  Userdata data(made(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)), nftnl_udata_buf_free);
  nftnl_udata_put_strz(data.get(), type, text.c_str());
  return data;
}

nftnl_set_elem* new_element(const Bytes& key, std::uint32_t flags) {
  nftnl_set_elem* element = made(nftnl_set_elem_alloc());
  nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key.data(),
                     static_cast<std::uint32_t>(key.size()));
  if (flags != 0) nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, flags);
  return element;
}

/// An interval is two elements: where it begins, and behind its end, unless it goes to the very
/// last key.
void put_element(nftnl_set* set, const Element& element, bool interval) {
  nftnl_set_elem* first = new_element(element.low, 0);
  if (element.verdict) {
    nftnl_set_elem_set_u32(first, NFTNL_SET_ELEM_VERDICT,
                           static_cast<std::uint32_t>(element.verdict->code));
    nftnl_set_elem_set_str(first, NFTNL_SET_ELEM_CHAIN, element.verdict->chain.c_str());
  }
  if (!element.comment.empty()) {
    const Userdata data = comment(NFTNL_UDATA_SET_ELEM_COMMENT, element.comment);
    nftnl_set_elem_set(first, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(data.get()),
                       nftnl_udata_buf_len(data.get()));
  }
  nftnl_set_elem_add(set, first);
  if (!interval) return;
  if (const auto past = successor(element.high)) {
    nftnl_set_elem_add(set, new_element(*past, NFT_SET_ELEM_INTERVAL_END));
  }
}

void put_attribute(nlmsghdr* header, std::uint16_t type, std::uint32_t value) {
  nlattr attribute{static_cast<std::uint16_t>(kAttributeHeader + sizeof value), type};
  char* tail = reinterpret_cast<char*>(header) + NLMSG_ALIGN(header->nlmsg_len);
  std::memcpy(tail, &attribute, sizeof attribute);
  std::memcpy(tail + kAttributeHeader, &value, sizeof value);
  header->nlmsg_len =
      NLMSG_ALIGN(header->nlmsg_len) + static_cast<std::uint32_t>(kAttributeHeader + sizeof value);
}

}  // namespace

Batch::Batch(std::string table, std::optional<std::uint32_t> generation)
    : table_(std::move(table)) {
  buffer_.resize(kRoom);
  nlmsghdr* header = nftnl_batch_begin(buffer_.data(), 0);
  if (generation) put_attribute(header, NFNL_BATCH_GENID, htonl(*generation));
  end_message(header);
}

char* Batch::begin_message(const char* operation, std::string object) {
  steps_.push_back({operation, std::move(object)});
  if (buffer_.size() - used_ < kRoom) buffer_.resize(buffer_.size() * 2 + kRoom);
  return buffer_.data() + used_;
}

void Batch::end_message(const void* header) {
  used_ += NLMSG_ALIGN(static_cast<const nlmsghdr*>(header)->nlmsg_len);
}

std::span<const char> Batch::finish() {
  char* at = begin_message("ending", "the transaction");
  end_message(nftnl_batch_end(at, static_cast<std::uint32_t>(steps_.size())));
  return {buffer_.data(), used_};
}

std::pair<std::string, std::string> Batch::describe(std::uint32_t sequence) const {
  std::string object = fmt::format("table inet {}", table_);
  if (sequence == 0 || sequence > steps_.size()) return {"changing", object};
  const Step& step = steps_[sequence - 1];
  if (!step.object.empty()) object = fmt::format("{} of {}", step.object, object);
  return {step.operation, object};
}

void Batch::add_table() {
  char* at = begin_message("adding", {});
  // Only the first message asks for an acknowledgement; errors come unasked.
  const auto acknowledge =
      static_cast<std::uint16_t>(steps_.size() == acknowledged() ? NLM_F_ACK : 0);
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_NEWTABLE, NFPROTO_INET,
                                           static_cast<std::uint16_t>(NLM_F_CREATE | acknowledge),
                                           static_cast<std::uint32_t>(steps_.size()));
  const Freed<nftnl_table> table(made(nftnl_table_alloc()), nftnl_table_free);
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, table_.c_str());
  nftnl_table_set_u32(table.get(), NFTNL_TABLE_FLAGS, 0);
  const Userdata data =
      comment(NFTNL_UDATA_TABLE_COMMENT, "kept by evojail: changes made here are undone");
  nftnl_table_set_data(table.get(), NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(data.get()),
                       nftnl_udata_buf_len(data.get()));
  nftnl_table_nlmsg_build_payload(header, table.get());
  end_message(header);
}

void Batch::delete_table() {
  char* at = begin_message("removing", {});
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_DELTABLE, NFPROTO_INET, 0,
                                           static_cast<std::uint32_t>(steps_.size()));
  const Freed<nftnl_table> table(made(nftnl_table_alloc()), nftnl_table_free);
  nftnl_table_set_str(table.get(), NFTNL_TABLE_NAME, table_.c_str());
  nftnl_table_nlmsg_build_payload(header, table.get());
  end_message(header);
}

void Batch::add_chain(const std::string& name, const Chain& chain) {
  char* at = begin_message("adding", fmt::format("chain {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE,
                                           static_cast<std::uint32_t>(steps_.size()));
  const auto object = new_chain(table_, name);
  if (chain.hook) {
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TYPE, chain.hook->type.c_str());
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_HOOKNUM, chain.hook->number);
    nftnl_chain_set_s32(object.get(), NFTNL_CHAIN_PRIO, chain.hook->priority);
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_POLICY, chain.hook->policy);
  }
  nftnl_chain_nlmsg_build_payload(header, object.get());
  end_message(header);
}

void Batch::flush_chain(const std::string& name) {
  char* at = begin_message("emptying", fmt::format("chain {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_DELRULE, NFPROTO_INET, 0,
                                           static_cast<std::uint32_t>(steps_.size()));
  const auto rule = new_rule(table_, name);
  nftnl_rule_nlmsg_build_payload(header, rule.get());
  end_message(header);
}

void Batch::delete_chain(const std::string& name) {
  char* at = begin_message("removing", fmt::format("chain {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_DELCHAIN, NFPROTO_INET, 0,
                                           static_cast<std::uint32_t>(steps_.size()));
  const auto chain = new_chain(table_, name);
  nftnl_chain_nlmsg_build_payload(header, chain.get());
  end_message(header);
}

void Batch::add_rule(const std::string& chain, const Rule& rule) {
  char* at = begin_message("adding a rule to", fmt::format("chain {}", chain));
  nlmsghdr* header =
      nftnl_nlmsg_build_hdr(at, NFT_MSG_NEWRULE, NFPROTO_INET, NLM_F_CREATE | NLM_F_APPEND,
                            static_cast<std::uint32_t>(steps_.size()));
  const auto object = new_rule(table_, chain);
  for (const Expression& expression : rule) {
    nftnl_rule_add_expr(object.get(), encode(expression));
  }
  nftnl_rule_nlmsg_build_payload(header, object.get());
  end_message(header);
}

void Batch::add_set(const std::string& name, const Set& set) {
  char* at = begin_message("adding", fmt::format("set {}", name));
  const auto sequence = static_cast<std::uint32_t>(steps_.size());
  nlmsghdr* header =
      nftnl_nlmsg_build_hdr(at, NFT_MSG_NEWSET, NFPROTO_INET, NLM_F_CREATE, sequence);
  const Set_ object = new_set(table_, name);
  nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS, set.flags);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, set.key_type);
  nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, set.key_length);
  // Required by the kernel; nothing here refers to a set by it.
  nftnl_set_set_u32(object.get(), NFTNL_SET_ID, sequence);
  if ((set.flags & NFT_SET_MAP) != 0) {
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
    nftnl_set_set_u32(object.get(), NFTNL_SET_DATA_LEN, 0);
  }
  if (set.size != 0) nftnl_set_set_u32(object.get(), NFTNL_SET_DESC_SIZE, set.size);
  if (set.timeout_ms != 0) {
    nftnl_set_set_u64(object.get(), NFTNL_SET_TIMEOUT, set.timeout_ms);
  }
  const Userdata data(made(nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN)), nftnl_udata_buf_free);
  nftnl_udata_put_u32(data.get(), NFTNL_UDATA_SET_KEYBYTEORDER,
                      set.host_order ? kHostOrder : kNetworkOrder);
  nftnl_set_set_data(object.get(), NFTNL_SET_USERDATA, nftnl_udata_buf_data(data.get()),
                     nftnl_udata_buf_len(data.get()));
  nftnl_set_nlmsg_build_payload(header, object.get());
  end_message(header);
}

void Batch::delete_set(const std::string& name) {
  char* at = begin_message("removing", fmt::format("set {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_DELSET, NFPROTO_INET, 0,
                                           static_cast<std::uint32_t>(steps_.size()));
  const Set_ object = new_set(table_, name);
  nftnl_set_nlmsg_build_payload(header, object.get());
  end_message(header);
}

void Batch::put_elements(std::uint16_t type, std::uint16_t flags, const char* operation,
                         const std::string& name, const Set& set) {
  const bool interval = (set.flags & NFT_SET_INTERVAL) != 0;
  for (std::size_t from = 0; from < set.elements.size(); from += kElements) {
    char* at = begin_message(operation, fmt::format("set {}", name));
    nlmsghdr* header = nftnl_nlmsg_build_hdr(at, type, NFPROTO_INET, flags,
                                             static_cast<std::uint32_t>(steps_.size()));
    const Set_ object = new_set(table_, name);
    const std::size_t past = std::min(from + kElements, set.elements.size());
    for (std::size_t i = from; i < past; ++i) put_element(object.get(), set.elements[i], interval);
    nftnl_set_elems_nlmsg_build_payload(header, object.get());
    end_message(header);
  }
}

void Batch::add_elements(const std::string& name, const Set& set) {
  // NLM_F_EXCL: an element that is there already is an error, not a silent nothing.
  put_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, "adding an element to", name, set);
}

void Batch::delete_elements(const std::string& name, const Set& set) {
  put_elements(NFT_MSG_DELSETELEM, 0, "removing an element from", name, set);
}

void Batch::add_counter(const std::string& name, const Count& start) {
  char* at = begin_message("adding", fmt::format("counter {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_NEWOBJ, NFPROTO_INET, NLM_F_CREATE,
                                           static_cast<std::uint32_t>(steps_.size()));
  const Object object = new_counter(table_, name);
  nftnl_obj_set_u64(object.get(), NFTNL_OBJ_CTR_PKTS, start.packets);
  nftnl_obj_set_u64(object.get(), NFTNL_OBJ_CTR_BYTES, start.bytes);
  nftnl_obj_nlmsg_build_payload(header, object.get());
  end_message(header);
}

void Batch::delete_counter(const std::string& name) {
  char* at = begin_message("removing", fmt::format("counter {}", name));
  nlmsghdr* header = nftnl_nlmsg_build_hdr(at, NFT_MSG_DELOBJ, NFPROTO_INET, 0,
                                           static_cast<std::uint32_t>(steps_.size()));
  const Object object = new_counter(table_, name);
  nftnl_obj_nlmsg_build_payload(header, object.get());
  end_message(header);
}

}  // namespace evojail::nft
