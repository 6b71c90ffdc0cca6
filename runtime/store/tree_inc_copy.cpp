#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "store/tree_compare.hpp"
#include "store/tree_copy.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_inc_file.hpp"

namespace evojail {
namespace {

constexpr std::uint64_t kWorthAnotherTry = std::uint64_t{64} << 20;  // bytes

/// What a name stands for, without opening what it is: a FIFO does not block and a device is not
/// touched.
int open_node(int dir, const char* name, Fd& node) {
  auto opened = open_beneath(dir, name, O_PATH);
  if (!opened) return opened.error().code();
  node = std::move(*opened);
  return 0;
}

int read_link(int dir, const char* name, std::string& target) {
  std::array<char, PATH_MAX> bytes{};
  const ssize_t size = ::readlinkat(dir, name, bytes.data(), bytes.size());
  if (size < 0) return errno;
  target.assign(bytes.data(), static_cast<std::size_t>(size));
  return 0;
}

/// Opens for reading what `node` stands for, which is known to be a regular file. O_NONBLOCK: a
/// file with a lease gives EWOULDBLOCK at once (fcntl(2), F_SETLEASE).
int open_to_read(int node, Fd& file) {
  constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const std::string path = proc_path(node);
  int fd = ::open(path.c_str(), flags | O_NOATIME);
  if (fd < 0 && errno == EPERM) fd = ::open(path.c_str(), flags);
  if (fd < 0) return errno;
  file.reset(fd);
  return 0;
}

}  // namespace

/// One live inode under one's hands.
struct TreeFileTaker::Source {
  Fd node;  // O_PATH
  Fd file;  // for reading, regular files only
  struct statx facts{};
  ExtendedAttributes attributes;
  std::string target;    // of a symbolic link
  bool complete = true;  // everything could be set on the copy
};

/// Copies what cannot be linked. A small file that changes under the copy gets a second try; what
/// changes again is kept as it came out, listed, and never trusted (rule 10).
Result<std::optional<TreeRecord>> TreeFileTaker::copy_or_compare(const TreePlace& place,
                                                                 const char* name) {
  for (bool again = true;; again = false) {
    TRY(Attempt made, attempt(place, name));
    if (!made.record) return std::nullopt;
    if (made.changed && again && made.record->size <= kWorthAnotherTry) {
      CHECK(remove_copy(place, name));
      continue;
    }
    if (made.changed) state_.troubles.add(place.copy.get(), name, "it changed while it was read");
    auto& count = made.copied ? state_.copied : state_.linked;
    count.fetch_add(1, std::memory_order_relaxed);
    return made.record;
  }
}

Result<TreeFileTaker::Attempt> TreeFileTaker::attempt(const TreePlace& place, const char* name) {
  const int copy_dir = place.copy.get();
  Source source;
  const auto unreadable = [&](std::string_view what, int code) -> Result<Attempt> {
    CHECK(state_.trouble(copy_dir, name, what, code, false));
    return Attempt{};
  };
  if (const int code = open_node(place.live.get(), name, source.node)) {
    if (code == ENOENT) return Attempt{};
    return unreadable("opening it", code);
  }
  const int node = source.node.get();
  if (const int code = stat_entry(node, "", source.facts)) return unreadable("looking at it", code);
  if (S_ISDIR(source.facts.stx_mode)) return Attempt{};
  if (S_ISREG(source.facts.stx_mode)) {
    if (const int code = open_to_read(node, source.file)) return unreadable("opening it", code);
  } else if (S_ISLNK(source.facts.stx_mode)) {
    if (const int code = read_link(node, "", source.target)) return unreadable("reading it", code);
  }
  if (const int code = source.attributes.read(proc_path(node))) {
    return unreadable("reading attribute " + source.attributes.failed(), code);
  }
  Attempt made;
  TRY(made.record, link_equal(place, name, source));
  if (!made.record) {
    TRY(made.record, copy(place, name, source));
    made.copied = true;
  }
  if (!made.record) return made;
  struct statx after{};
  const int code = stat_entry(node, "", after);
  made.changed = code != 0 || !same_moment(source.facts, after);
  // Rule 4: both looks agree, and the stamp is old enough to stand for the contents.
  if (!made.changed && source.complete &&
      TreeTime(source.facts.stx_ctime) < state_.trusted_before) {
    made.record->flags |= TreeRecord::kTrusted;
  }
  return made;
}

/// The second part of rule 5: what is equal in size and metadata is compared, and linked if it is
/// the same. Nothing: it is not.
Result<std::optional<TreeRecord>> TreeFileTaker::link_equal(const TreePlace& place,
                                                            const char* name, Source& source) {
  struct statx facts{};
  if (!place.base || stat_entry(place.base.get(), name, facts) != 0) return std::nullopt;
  // Given back by hand as a link to the inc's own file: one that a client can write to must never
  // come into another inc.
  if (facts.stx_ino == source.facts.stx_ino) return std::nullopt;
  if (!same_metadata(source.facts, facts)) return std::nullopt;
  if (facts.stx_nlink + source.facts.stx_nlink + 2 > kMostLinks) return std::nullopt;  // rule 7
  Fd node;
  if (open_node(place.base.get(), name, node) != 0) return std::nullopt;
  ExtendedAttributes attributes;
  if (attributes.read(proc_path(node.get())) != 0) return std::nullopt;
  if (!(attributes == source.attributes)) return std::nullopt;

  TreeRecord record = record_of(source.facts);
  if (S_ISLNK(source.facts.stx_mode)) {
    std::string target;
    if (read_link(node.get(), "", target) != 0 || target != source.target) return std::nullopt;
  } else if (S_ISREG(source.facts.stx_mode)) {
    Fd file;
    if (open_to_read(node.get(), file) != 0) return std::nullopt;
    const auto result =
        compare_contents(source.file.get(), source.facts, file.get(), facts, buffer_, state_.meter);
    state_.compared.fetch_add(1, std::memory_order_relaxed);
    state_.bytes_compared.fetch_add(result.bytes, std::memory_order_relaxed);
    if (result.fault || !result.equal) return std::nullopt;
    record.digest = result.digest;
    record.flags |= TreeRecord::kDigest;
  }
  TRY(const bool linked, link_base(place, name, source, node.get(), facts.stx_ino));
  if (!linked) return std::nullopt;
  record.inc_inode = facts.stx_ino;
  return record;
}

/// Links a base inode that was found equal, unless that would make two live inodes one.
Result<bool> TreeFileTaker::link_base(const TreePlace& place, const char* name,
                                      const Source& source, int node, std::uint64_t inode) {
  std::optional<TreeRecord> known;
  if (state_.manifest) known = state_.manifest->find(source.facts.stx_ino, cache_);
  const bool owner = known && known->inc_inode == inode;
  if (!owner && !state_.claims.claim(node)) return false;
  if (::linkat(node, "", place.copy.get(), name, AT_EMPTY_PATH) != 0) return false;
  if (owner && state_.claims.claimed(inode)) {
    CHECK(remove_copy(place, name));
    return false;
  }
  return true;
}

Result<std::optional<TreeRecord>> TreeFileTaker::copy(const TreePlace& place, const char* name,
                                                      Source& source) {
  if (S_ISREG(source.facts.stx_mode)) return copy_file(place, name, source);
  CHECK(state_.budget.spend(4096));
  TRY(const bool made, make_special(place, name, source));
  if (!made) return std::nullopt;
  CHECK(set_attributes(place, name, place.copy.get(), name, source));
  struct statx facts{};
  if (const int code = stat_entry(place.copy.get(), name, facts)) {
    CHECK(state_.trouble(place.copy.get(), name, "looking at it", code, true));
    return std::nullopt;
  }
  TreeRecord record = record_of(source.facts);
  record.inc_inode = facts.stx_ino;
  return record;
}

Result<std::optional<TreeRecord>> TreeFileTaker::copy_file(const TreePlace& place, const char* name,
                                                           Source& source) {
  const int dir = place.copy.get();
  CHECK(state_.budget.spend(4096));
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Fd file(::openat(dir, name, flags, 0600));
  if (!file) {
    CHECK(state_.trouble(dir, name, "creating it", errno, true));
    return std::nullopt;
  }
  TreeRecord record = record_of(source.facts);
  TreeFault fault;
  if (state_.request.reflink_required) {
    fault = clone_contents(source.file.get(), file.get());
    if (fault.writing) {
      return std::unexpected(
          Error::system("sharing the contents of", state_.troubles.path(dir, name), fault.code)
              .hint("the volume must be made with reflinks (mkfs.xfs -m reflink=1)"));
    }
  } else {
    TRY(const CopyResult result, copy_contents(source.file.get(), source.facts, file.get(), buffer_,
                                               state_.budget, state_.meter));
    fault = result.fault;
    record.digest = result.digest;
    record.flags |= TreeRecord::kDigest;
    state_.bytes_copied.fetch_add(result.bytes, std::memory_order_relaxed);
  }
  if (fault) {
    CHECK(remove_copy(place, name));
    CHECK(state_.trouble(dir, name, fault.writing ? "writing it" : "reading it", fault.code,
                         fault.writing));
    return std::nullopt;
  }
  CHECK(set_attributes(place, name, file.get(), "", source));
  struct statx facts{};
  if (const int code = stat_entry(file.get(), "", facts)) {
    CHECK(state_.trouble(dir, name, "looking at it", code, true));
    return std::nullopt;
  }
  record.inc_inode = facts.stx_ino;
  return record;
}

Result<bool> TreeFileTaker::make_special(const TreePlace& place, const char* name, Source& source) {
  const int dir = place.copy.get();
  const auto& facts = source.facts;
  const int made = S_ISLNK(facts.stx_mode)
                       ? ::symlinkat(source.target.c_str(), dir, name)
                       : ::mknodat(dir, name, (facts.stx_mode & S_IFMT) | 0600U,
                                   ::makedev(facts.stx_rdev_major, facts.stx_rdev_minor));
  if (made == 0) return true;
  CHECK(state_.trouble(dir, name, "creating it", errno, true));
  return false;
}

/// Owner, attributes and times of a copy. What cannot be set is listed and the copy stays.
Result<void> TreeFileTaker::set_attributes(const TreePlace& place, const char* name, int dir,
                                           const char* entry, Source& source) {
  const int listed = place.copy.get();
  const auto failed = [&](std::string_view what, int code) {
    source.complete = false;
    return state_.trouble(listed, name, what, code, true);
  };
  if (const int code = set_owner_and_mode(dir, entry, source.facts)) {
    CHECK(failed("setting owner and mode", code));
  }
  if (!source.attributes.empty()) {
    Fd node;
    int code = 0;
    if (*entry != '\0') code = open_node(dir, entry, node);
    if (code == 0) code = source.attributes.write(proc_path(node ? node.get() : dir));
    if (code != 0) {
      source.complete = false;
      CHECK(state_.attribute_trouble(listed, name, source.attributes.failed(), code));
    }
  }
  if (const int code = set_times(dir, entry, source.facts)) CHECK(failed("setting times", code));
  return {};
}

Result<void> TreeFileTaker::remove_copy(const TreePlace& place, const char* name) const {
  if (::unlinkat(place.copy.get(), name, 0) == 0 || errno == ENOENT) return {};
  return fail_errno("removing", state_.troubles.path(place.copy.get(), name));
}

}  // namespace evojail
