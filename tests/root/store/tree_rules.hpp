#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "store/tree_manifest.hpp"
#include "store/tree_manifest_writer.hpp"
#include "tree_lab.hpp"

namespace evojail::test {

/// The rules of the tree engine, each with the experiment that it answers, on each volume of trees.
class TreeRules : public TreeTest {
 protected:
  /// A file whose stamps are past their two seconds when the first inc is taken.
  void take_first() {
    lab.let_stamps_age();
    lab.take("1");
  }
  [[nodiscard]] bool linked(const std::string& path, const std::string& name = "2",
                            const std::string& base = "1") const {
    return inode_of(lab.inc(name, path)) == inode_of(lab.inc(base, path));
  }
  /// Writes the manifest `name` anew, with another header or other records.
  void rewrite_manifest(const std::string& name,
                        const std::function<void(TreeManifestHeader&)>& header,
                        const std::function<void(TreeRecord&)>& change = {}) const {
    const std::string path = lab.outside("meta/" + name);
    const Fd meta = open_dir(lab.outside("meta"));
    const Fd old(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto manifest = TreeManifest::open(old.get());
    ASSERT_TRUE(manifest);
    TreeSorter sorter(TreeSorter::Order::live, meta.get(), 1);
    TreeSorter::Sink sink(sorter);
    std::vector<TreeRecord> records;
    for (std::uint64_t block = 0; block < manifest->blocks(); ++block) {
      ASSERT_TRUE(manifest->read_block(block, records));
      for (auto& record : records) {
        if (change) change(record);
        ASSERT_TRUE(sink.add(record));
      }
    }
    sink.finish();
    ASSERT_EQ(::unlink(path.c_str()), 0);
    auto writer = TreeManifestWriter::create(meta.get(), name);
    ASSERT_TRUE(writer);
    TreeManifestHeader changed = manifest->header();
    header(changed);
    ASSERT_TRUE(writer->finish(sorter, changed));
  }
};

}  // namespace evojail::test
