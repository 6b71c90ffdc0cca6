// The tree engine beside the tools that do the same, on one volume, in one run: the inc of an
// unchanged tree against `cp -al`, `rsync -a --link-dest` and the bare links, its removal against
// `rm -rf` and `rsync --delete` from an empty directory, and the first inc against `cp -a`. Every
// time is that of a process of its own up to the end of a syncfs(2).
//
//   tree_bench [FILES [RUNS [ext4|xfs]]]      200000, 5, ext4 unless said otherwise; needs root

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "store/parallel.hpp"
#include "store/tree_inc.hpp"
#include "store/tree_remove.hpp"
#include "support/loop_volume.hpp"

namespace {

using evojail::Fd;
using evojail::test::FileSystem;
using evojail::test::LoopVolume;
using Clock = std::chrono::steady_clock;

struct Sample {
  double seconds = 0;
  double sync = 0;  // of these, what the volume still took when the work was done
  double cpu = 0;
  double megabytes = 0;  // the largest resident set, the 2 MB that a child begins with included
};

constexpr double kMostMegabytes = 64;

[[noreturn]] void give_up(const std::string& what) { throw std::runtime_error(what); }

Fd directory(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) give_up("opening " + path);
  return fd;
}

/// Runs `work` in a child and waits for the volume to have it all.
Sample measure(const std::string& volume, const std::function<int()>& work) {
  const Fd root = directory(volume);
  if (::syncfs(root.get()) != 0) give_up("syncing " + volume);
  const auto begin = Clock::now();
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) ::_exit(work());
  int status = 0;
  rusage usage{};
  if (::wait4(child, &status, 0, &usage) != child || status != 0) give_up("a measured run failed");
  const std::chrono::duration<double> work_done = Clock::now() - begin;
  if (::syncfs(root.get()) != 0) give_up("syncing " + volume);
  const std::chrono::duration<double> wall = Clock::now() - begin;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {.seconds = wall.count(),
          .sync = (wall - work_done).count(),
          .cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime),
          .megabytes = static_cast<double>(usage.ru_maxrss) / 1024};
}

std::function<int()> tool(std::vector<std::string> words) {
  return [words = std::move(words)] {
    std::vector<char*> argv;
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return 127;
  };
}

void make_file(int dir, const std::string& name, const std::string& bytes) {
  const Fd file(::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file || !evojail::write_all(file.get(), name, bytes)) give_up("making " + name);
}

/// Files of 4 KiB, fifty to a directory, a hundred directories to a directory.
void make_tree(const std::string& data, int files) {
  const std::string bytes(4096, 'x');
  for (int made = 0; made < files;) {
    const int number = made / 50;
    const std::string above = fmt::format("{}/{}", data, number / 100);
    ::mkdir(above.c_str(), 0755);
    const std::string path = fmt::format("{}/dir-{}", above, number);
    ::mkdir(path.c_str(), 0755);
    const Fd dir = directory(path);
    for (int i = 0; i < 50 && made < files; ++i, ++made) {
      make_file(dir.get(), fmt::format("file-{:06}.dat", made), fmt::format("{}{}", made, bytes));
    }
  }
}

struct Layout {
  std::string root, jail, incs, meta, empty;
  bool reflink = false;
};

std::function<int()> take_inc(const Layout& at, const std::string& name, const std::string& base) {
  return [at, name, base] {
    const Fd jail = directory(at.jail);
    const Fd incs = directory(at.incs);
    const Fd meta = directory(at.meta);
    Fd base_dir;
    Fd manifest;
    evojail::TreeIncRequest request;
    request.jail_dir_fd = jail.get();
    request.inc_parent_fd = incs.get();
    request.temporary_name = name;
    request.manifest_dir_fd = meta.get();
    request.manifest_name = name;
    request.sessions_open = [] { return false; };
    request.reflink_required = at.reflink;
    if (!base.empty()) {
      base_dir = directory(at.incs + "/" + base);
      manifest = Fd(::openat(meta.get(), base.c_str(), O_RDONLY | O_CLOEXEC));
      request.base = evojail::TreeBase{base_dir.get(), manifest.get()};
    }
    const auto outcome = evojail::take_tree_inc(request);
    if (!outcome) {
      fmt::print(stderr, "{}\n", outcome.error().message());
      return 1;
    }
    const bool linked_all = base.empty() || (outcome->copied == 0 && outcome->compared == 0);
    if (!outcome->partial && linked_all) return 0;
    fmt::print(stderr, "linked {}, copied {}, compared {}, troubles {}\n", outcome->linked,
               outcome->copied, outcome->compared, outcome->trouble_count);
    for (const auto& [path, reason] : outcome->troubles) {
      fmt::print(stderr, "{}: {}\n", path, reason);
    }
    return 1;
  };
}

std::function<int()> remove(const Layout& at, const std::string& name) {
  return [at, name] {
    const auto outcome = evojail::remove_tree(directory(at.incs).get(), name);
    return outcome && outcome->complete ? 0 : 1;
  };
}

/// The least that a tree of links can cost: its directories and one linkat(2) for each name, by all
/// processors, without a record of what was linked. With `live`, each file is looked at twice as
/// well, which no inc can do without: the live one (rules 3 and 5), and what was linked (rule 5).
std::function<int()> only_link(const std::string& from, const std::string& to,
                               const std::optional<std::string>& live) {
  return [from, to, live] {
    namespace fs = std::filesystem;
    std::vector<std::pair<fs::path, fs::path>> dirs{{from, to}};
    for (std::size_t i = 0; i < dirs.size(); ++i) {
      const auto [source, copy] = dirs[i];
      fs::create_directory(copy);
      for (const auto& entry : fs::directory_iterator(source)) {
        if (!entry.is_directory()) continue;
        dirs.emplace_back(entry.path(), copy / entry.path().filename());
      }
    }
    std::atomic<int> failures = 0;
    evojail::for_each_index(dirs.size(), std::thread::hardware_concurrency(), [&](std::size_t i) {
      const Fd source = directory(dirs[i].first);
      const Fd copy = directory(dirs[i].second);
      const Fd looked = directory(live ? *live + dirs[i].first.string().substr(from.size())
                                       : dirs[i].first.string());
      const auto look = [&failures](int dir, const std::string& name) {
        struct statx facts{};
        if (::statx(dir, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_ALL, &facts) != 0) ++failures;
      };
      for (const auto& entry : fs::directory_iterator(dirs[i].first)) {
        if (entry.is_directory()) continue;
        const std::string name = entry.path().filename();
        if (live) look(looked.get(), name);
        if (::linkat(source.get(), name.c_str(), copy.get(), name.c_str(), 0) != 0) ++failures;
        if (live) look(copy.get(), name);
      }
    });
    return failures == 0 ? 0 : 1;
  };
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

class Table {
 public:
  void add(const std::string& row, const Sample& sample) {
    if (!samples_.contains(row)) order_.push_back(row);
    samples_[row].push_back(sample);
  }
  [[nodiscard]] double seconds(const std::string& row) const {
    return of(row, [](const Sample& sample) { return sample.seconds; });
  }
  [[nodiscard]] double cpu_seconds(const std::string& row) const {
    return of(row, [](const Sample& sample) { return sample.cpu; });
  }
  [[nodiscard]] double most_megabytes(std::string_view engine) const {
    double most = 0;
    for (const auto& [row, samples] : samples_) {
      if (!row.ends_with(engine)) continue;
      for (const auto& sample : samples) most = std::max(most, sample.megabytes);
    }
    return most;
  }
  void print() const {
    fmt::print("{:<44}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "median s", "min s", "sync s", "cpu s",
               "RSS MB");
    for (const auto& row : order_) {
      double least = 1e9;
      for (const auto& sample : samples_.at(row)) least = std::min(least, sample.seconds);
      fmt::print("{:<44}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.1f}\n", row, seconds(row), least,
                 of(row, [](const Sample& sample) { return sample.sync; }), cpu_seconds(row),
                 of(row, [](const Sample& sample) { return sample.megabytes; }));
    }
  }

 private:
  [[nodiscard]] double of(const std::string& row,
                          const std::function<double(const Sample&)>& field) const {
    std::vector<double> values;
    for (const auto& sample : samples_.at(row)) values.push_back(field(sample));
    return median(std::move(values));
  }
  std::map<std::string, std::vector<Sample>> samples_;
  std::vector<std::string> order_;
};

void ratio(const Table& table, const std::string& theirs, const std::string& ours, double aim) {
  const double factor = table.seconds(theirs) / table.seconds(ours);
  fmt::print("{:<60}{:>6.2f} x  (aim {:.1f} x) {}\n", fmt::format("{} / {}", theirs, ours), factor,
             aim, factor >= aim ? "met" : "MISSED");
}

void run(int files, int runs, FileSystem type) {
  LoopVolume::Options options;
  // Four full copies at a time, and an inode for each 16 KiB is what mkfs makes. It is sparse.
  options.size = std::max(std::uint64_t{16} << 30, static_cast<std::uint64_t>(files) << 16);
  options.backing = LoopVolume::Backing::disk;
  const LoopVolume volume(type, options);
  Layout at{.root = volume.path(),
            .jail = volume.path() + "/jail",
            .incs = volume.path() + "/incs",
            .meta = volume.path() + "/meta",
            .empty = volume.path() + "/empty",
            .reflink = type == FileSystem::xfs};
  for (const auto& path :
       {at.jail, at.jail + "/data", at.jail + "/var", at.incs, at.meta, at.empty}) {
    if (::mkdir(path.c_str(), 0755) != 0) give_up("making " + path);
  }
  fmt::print("{} files of 4 KiB on {}, {} runs, {} processors\n", files, to_string(type), runs,
             ::sysconf(_SC_NPROCESSORS_ONLN));
  make_tree(at.jail + "/data", files);
  ::sleep(3);  // stamps of the last two seconds prove nothing (rule 4)

  Table table;
  table.add("first inc: evojail", measure(at.root, take_inc(at, "base", "")));
  table.add("first inc: cp -a", measure(at.root, tool({"cp", "-a", at.jail, at.incs + "/cp"})));
  table.add("removal of a full copy: evojail", measure(at.root, remove(at, "cp")));
  table.add("first inc: cp -a", measure(at.root, tool({"cp", "-a", at.jail, at.incs + "/cp"})));
  table.add("removal of a full copy: rm -rf",
            measure(at.root, tool({"rm", "-rf", at.incs + "/cp"})));
  // `cp -al` stamps every live inode with a new ctime: it gets a live tree of its own.
  const std::string other = at.root + "/other";
  table.add("first inc: cp -a", measure(at.root, tool({"cp", "-a", at.jail, other})));

  using Step = std::pair<std::string, std::function<int()>>;
  for (int round = 0; round < runs; ++round) {
    std::vector<Step> steps{{"unchanged inc: cp -al", tool({"cp", "-al", other, at.incs + "/cp"})},
                            {"unchanged inc: rsync -a --link-dest",
                             tool({"rsync", "-a", "--link-dest=" + at.incs + "/base", at.jail + "/",
                                   at.incs + "/rs/"})},
                            {"unchanged inc: evojail", take_inc(at, "ev", "base")}};
    std::vector<Step> removals{
        {"removal: rm -rf", tool({"rm", "-rf", at.incs + "/cp"})},
        {"removal: rsync --delete from an empty one",
         tool({"rsync", "-a", "--delete", at.empty + "/", at.incs + "/rs/"})},
        {"removal: evojail", remove(at, "ev")}};
    // Each comes first once.
    std::ranges::rotate(steps, steps.begin() + round % 3);
    std::ranges::rotate(removals, removals.begin() + round % 3);
    for (const auto& [row, work] : steps) table.add(row, measure(at.root, work));
    const std::string links = at.incs + "/links";
    table.add("bound: linkat of each name alone",
              measure(at.root, only_link(at.incs + "/base", links, std::nullopt)));
    table.add("removal of the bound: evojail", measure(at.root, remove(at, "links")));
    table.add("bound: and two looks at each file",
              measure(at.root, only_link(at.incs + "/base", links, at.jail)));
    table.add("removal of the bound: evojail", measure(at.root, remove(at, "links")));
    for (const auto& [row, work] : removals) table.add(row, measure(at.root, work));
    ::rmdir((at.incs + "/rs").c_str());
    ::unlink((at.meta + "/ev").c_str());
  }
  table.print();
  fmt::print("\n");
  ratio(table, "unchanged inc: cp -al", "unchanged inc: evojail", 2.5);
  ratio(table, "unchanged inc: rsync -a --link-dest", "unchanged inc: evojail", 5);
  // What no program that links each name can beat here, and what none can that proves what it
  // links.
  for (const char* bound :
       {"bound: linkat of each name alone", "bound: and two looks at each file"}) {
    fmt::print("{:<60}{:>6.2f} x\n",
               fmt::format("unchanged inc: cp -al / cpu s of {}, on all", bound),
               table.seconds("unchanged inc: cp -al") * std::thread::hardware_concurrency() /
                   table.cpu_seconds(bound));
  }
  ratio(table, "removal: rm -rf", "removal: evojail", 1.5);
  ratio(table, "removal: rsync --delete from an empty one", "removal: evojail", 1.5);
  const double memory = table.most_megabytes(": evojail");
  fmt::print("{:<60}{:>6.1f} MB (aim {} MB) {}\n",
             "memory: evojail, first inc, further ones, removals", memory, kMostMegabytes,
             memory < kMostMegabytes ? "met" : "MISSED");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int files = argc > 1 ? std::atoi(argv[1]) : 200000;
    const int runs = argc > 2 ? std::atoi(argv[2]) : 5;
    const bool xfs = argc > 3 && std::string_view(argv[3]) == "xfs";
    ::setvbuf(stdout, nullptr, _IOLBF, 0);
    run(files, runs, xfs ? FileSystem::xfs : FileSystem::ext4);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tree_bench: {}\n", error.what());
    return 1;
  }
}
