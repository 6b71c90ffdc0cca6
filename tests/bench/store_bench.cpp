// Incs of many jails on one btrfs volume: all together as evojail takes them, beside one `btrfs
// subvolume snapshot -r` after the other, a loop of a shell that runs what bkctld runs, and the
// snapshots alone; their removal beside `btrfs subvolume delete`; what it takes to make a jail on
// each file system; and `rm --dry-run` of a thousand jails. In one run, in turn; medians.
//
//   store_bench [JAILS [ROUNDS]]      500, 5 unless said otherwise; needs root and btrfs-progs

#include <btrfsutil.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "store/parallel.hpp"
#include "support/store_world.hpp"

extern char** environ;

namespace {

using namespace evojail;
using namespace evojail::test;
using Clock = std::chrono::steady_clock;

void run(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, argv[0], &quiet, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  if (code != 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("running " + words[0] + " failed");
  }
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Series {
  std::vector<double> seconds;
  std::vector<double> commits;
};

/// Seconds and commits of `work`, with nothing of before in either.
void measure(const StoreWorld& world, Series& series, const std::function<void()>& work) {
  const Fd root(::open(world.volume.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (::syncfs(root.get()) != 0) throw std::runtime_error("syncfs");
  const auto commits = world.volume.type() == FileSystem::btrfs ? world.volume.commits() : 0;
  const auto begin = Clock::now();
  work();
  const std::chrono::duration<double> took = Clock::now() - begin;
  series.seconds.push_back(took.count());
  if (world.volume.type() == FileSystem::btrfs) {
    series.commits.push_back(static_cast<double>(world.volume.commits() - commits));
  }
}

void check(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

void print(const char* what, const Series& ours, const char* other, const Series& theirs) {
  fmt::print(
      "{:<30} {:>8.1f} ms {:>4.0f} commits   {:<32} {:>8.1f} ms {:>4.0f} commits {:>7.1f} x\n",
      what, median(ours.seconds) * 1e3, median(ours.commits), other, median(theirs.seconds) * 1e3,
      median(theirs.commits), median(theirs.seconds) / median(ours.seconds));
}

void at_most(const std::string& what, double is, const char* unit, double aim) {
  fmt::print("{:<62} {:>8.1f} {}  (aim {:g} {}) {}\n", what, is, unit, aim, unit,
             is <= aim ? "met" : "MISSED");
}

/// What bkctld runs for each jail on btrfs, process by process: the names from dirname and date,
/// the kind of file system from stat, the directory, the snapshot, and the times before and after
/// it.
constexpr const char* kScript = R"script(
set -e
for jail in $4; do
  to=$2/$jail
  now=$(date +%Y-%m-%d-%H)
  mkdir -p "$to"
  kind=$(stat --file-system --format=%T "$(dirname "$to")")
  began=$(date +%H:%M:%S)
  [ "$kind" = btrfs ]
  btrfs subvolume snapshot -r "$1/$jail" "$to/$3" >/dev/null
  ended=$(date +%H:%M:%S)
done
)script";

LoopVolume::Options on_disk() {
  LoopVolume::Options options;
  options.size = 16ULL << 30;
  options.backing = LoopVolume::Backing::disk;
  return options;
}

void take_all(const StoreWorld& world, const std::vector<IncRequest>& requests,
              const std::string& inc) {
  const auto outcomes = take_incs(world.host, requests, inc);
  check(std::ranges::all_of(
            outcomes, [](const IncOutcome& outcome) { return outcome.status == IncStatus::taken; }),
        "taking incs");
}

/// The least that incs of all can cost: their snapshots, begun together, and one sync.
void only_snapshot(const StoreWorld& world, const std::vector<IncRequest>& requests,
                   const std::string& parent, const std::string& inc) {
  std::atomic<int> failures = 0;
  at_once(requests.size(), requests.size(), [&](std::size_t i) {
    const std::string& jail = requests[i].jail;
    const std::string path = fmt::format("{}/{}/{}", parent, jail, inc);
    if (::btrfs_util_create_snapshot((world.host.jaildir + "/" + jail).c_str(), path.c_str(),
                                     BTRFS_UTIL_CREATE_SNAPSHOT_READ_ONLY, nullptr,
                                     nullptr) != BTRFS_UTIL_OK) {
      ++failures;
    }
  });
  check(failures == 0, "making a snapshot");
  const Fd root(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(::syncfs(root.get()) == 0, "syncfs");
}

void compare_incs(unsigned jails, unsigned rounds) {
  StoreWorld world(FileSystem::btrfs, on_disk());
  std::vector<IncRequest> requests;
  for (unsigned i = 0; i < jails; ++i) {
    const std::string name = fmt::format("jail{}", i);
    const auto port = static_cast<std::uint16_t>(10000 + i);
    check(create_jail(world.host, name, new_jail(port)).has_value(), "making a jail");
    write_file(world.data(name) + "/f", std::string(100000, 'x'));
    requests.push_back({.jail = name});
  }
  const std::string script_incs = world.volume.path() + "/script";
  std::string words;
  for (const auto& request : requests) words += " " + request.jail;
  // Nothing of what was removed before is still being given back.
  const auto settle = [&world] { run({"btrfs", "subvolume", "sync", world.volume.path()}); };
  const std::string plain_incs = world.volume.path() + "/plain";
  const std::string bare_incs = world.volume.path() + "/bare";
  check(::mkdir(script_incs.c_str(), 0700) == 0, "mkdir");
  for (const auto& parent : {plain_incs, bare_incs}) {
    check(::mkdir(parent.c_str(), 0700) == 0, "mkdir");
    for (const auto& request : requests) {
      check(::mkdir((parent + "/" + request.jail).c_str(), 0700) == 0, "mkdir");
    }
  }

  // Every hour but the first: what is made once is there.
  take_all(world, requests, "2025-12-31-00");
  Series take;
  Series plain_take;
  Series bound;
  Series script_take;
  Series remove;
  Series script_remove;
  for (unsigned round = 0; round < rounds; ++round) {
    const std::string inc = fmt::format("2026-01-{:02}-00", round % 28 + 1);
    // What every push leaves to be committed.
    for (const auto& request : requests) {
      write_file(world.data(request.jail) + "/f",
                 std::string(10000, static_cast<char>('a' + round)));
    }
    settle();
    measure(world, take, [&] { take_all(world, requests, inc); });
    measure(world, plain_take, [&] {
      for (const auto& request : requests) {
        run({"btrfs", "subvolume", "snapshot", "-r", world.host.jaildir + "/" + request.jail,
             plain_incs + "/" + request.jail + "/" + inc});
      }
    });
    settle();
    measure(world, bound, [&] { only_snapshot(world, requests, bare_incs, inc); });
    measure(world, script_take, [&] {
      run({"bash", "-c", kScript, "script", world.host.jaildir, script_incs, inc, words});
    });
    run({"bash", "-c", "btrfs subvolume delete \"$1\"/*/\"$3\" \"$2\"/*/\"$3\"", "script",
         script_incs, bare_incs, inc});
    settle();
    measure(world, remove, [&] {
      std::vector<IncRemoval> removals;
      for (const auto& request : requests) removals.push_back({request.jail, {inc}});
      const auto outcomes = remove_incs(world.host, removals);
      check(std::ranges::all_of(outcomes,
                                [](const RemovalOutcome& outcome) {
                                  return outcome.status == RemovalStatus::removed;
                                }),
            "removing incs");
    });
    measure(world, script_remove, [&] {
      for (const auto& request : requests) {
        run({"btrfs", "subvolume", "delete", plain_incs + "/" + request.jail + "/" + inc});
      }
    });
  }
  const std::string what = fmt::format("inc of {} jails", jails);
  print(what.c_str(), take, "btrfs subvolume snapshot -r each", plain_take);
  print(what.c_str(), take, "a loop as bkctld's", script_take);
  print(what.c_str(), take, "the snapshots alone, together", bound);
  print(fmt::format("removal of {} incs", jails).c_str(), remove, "btrfs subvolume delete each",
        script_remove);
  at_most(what + ": commits", median(take.commits), "", 10);
  // A fiftieth of what bkctld 25.10 itself took for five hundred jails.
  at_most(what, median(take.seconds) * 1e3, "ms", 10900.0 / 50 * jails / 500);
}

void measure_creation(FileSystem type, unsigned rounds) {
  StoreWorld world(type, on_disk());
  Series create;
  for (unsigned round = 0; round < rounds * 4; ++round) {
    measure(world, create, [&] {
      const auto port = static_cast<std::uint16_t>(10000 + round);
      check(create_jail(world.host, fmt::format("jail{}", round), new_jail(port)).has_value(),
            "making a jail");
    });
  }
  fmt::print("{:<28} {:>9.1f} ms\n", fmt::format("making a jail on {}", to_string(type)),
             median(create.seconds) * 1e3);
}

void measure_listing(unsigned jails, unsigned incs) {
  StoreWorld world(FileSystem::ext4);
  for (unsigned i = 0; i < jails; ++i) {
    const std::string dir = fmt::format("{}/jail{}", world.host.incdir, i);
    check(::mkdir(dir.c_str(), 0700) == 0, "mkdir");
    for (unsigned j = 0; j < incs; ++j) {
      const std::string inc = fmt::format("{}/2026-{:02}-{:02}-00", dir, j / 28 + 1, j % 28 + 1);
      check(::mkdir(inc.c_str(), 0700) == 0, "mkdir");
    }
  }
  std::size_t found = 0;
  Series list;
  for (unsigned round = 0; round < 5; ++round) {
    measure(world, list, [&] {
      found = 0;
      const auto owners = list_inc_owners(world.host).value();
      for (const auto& owner : owners) {
        found += list_incs(world.host, owner, ListDetail::names).value().size();
      }
    });
  }
  fmt::print("{:<28} {:>9.1f} ms, {} incs found\n",
             fmt::format("names of {} x {} incs", jails, incs), median(list.seconds) * 1e3, found);
}

/// `evojail rm --dry-run` of jails that have so many incs and a policy of thirty lines each.
void measure_dry_run(unsigned jails, unsigned incs, unsigned rounds) {
  LoopVolume::Options options;
  options.mkfs_options = {"-i", "4096"};
  StoreWorld world(FileSystem::ext4, options);
  const std::string settings = world.directory.path() + "/settings";
  const HostSettings& host = world.host;
  write_file(settings, fmt::format("CONFDIR={}\nJAILDIR={}\nINCDIR={}\nARCHIVESDIR={}\nDATADIR={}\n"
                                   "RUNDIR={}\nLOGDIR={}\n",
                                   host.confdir, host.jaildir, host.incdir, host.archivesdir,
                                   host.datadir, host.rundir, host.logdir));
  world.make_jail("first");  // and what all share
  std::string policy;
  for (int day = 0; day < 28; ++day) policy += fmt::format("+%Y-%m-%d.-{}day\n", day);
  policy += "+%Y-%m-01.-0month\n+%Y-%m-01.-1month\n";
  const auto make = [](const std::string& path) {
    check(::mkdir(path.c_str(), 0700) == 0, path.c_str());
  };
  const std::time_t now = std::time(nullptr);
  for (unsigned i = 0; i < jails; ++i) {
    const std::string jail = fmt::format("jail{}", i);
    const std::string conf = host.confdir + "/" + jail + ".d";
    make(conf);
    write_file(conf + "/jail.conf", fmt::format("PORT={}\n", 10000 + i));
    write_file(conf + "/incs_policy", policy);
    make(host.incdir + "/" + jail);
    for (unsigned day = 0; day < incs; ++day) {
      make(fmt::format("{}/{}/{:%Y-%m-%d-%H}", host.incdir, jail,
                       fmt::localtime(now - static_cast<std::time_t>(day) * 86400)));
    }
  }
  Series plan;
  for (unsigned round = 0; round < rounds; ++round) {
    measure(world, plan, [&] { run({EVOJAIL_PROGRAM, "--config", settings, "rm", "--dry-run"}); });
  }
  at_most(fmt::format("rm --dry-run of {} jails x {} incs x 30 lines", jails, incs),
          median(plan.seconds) * 1e3, "ms", 1000);
}

unsigned argument(int argc, char** argv, int index, unsigned otherwise) {
  return argc > index ? static_cast<unsigned>(std::strtoul(argv[index], nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) try {
  // RUNDIR lies in memory, as on a host; the volumes do not.
  ::setenv("TEST_TMPDIR", "/dev/shm/", 1);
  const unsigned jails = argument(argc, argv, 1, 500);
  const unsigned rounds = argument(argc, argv, 2, 5);
  compare_incs(jails, rounds);
  for (const auto type : {FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs}) {
    measure_creation(type, rounds);
  }
  measure_listing(1000, 60);
  measure_dry_run(1000, 60, rounds);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "store_bench: {}\n", error.what());
  return 1;
}
