#include "service/systemd.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "service/libsystemd.hpp"

namespace evojail {
namespace {

constexpr const char* kDestination = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnit = "org.freedesktop.systemd1.Unit";
constexpr const char* kService = "org.freedesktop.systemd1.Service";
constexpr const char* kPrivateSocket = "unix:path=/run/systemd/private";

/// An sd_bus_error that is freed with its scope.
struct BusError {
  sd_bus_error value{};
  BusError() = default;
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
  ~BusError() { libsystemd().sd_bus_error_free(&value); }
};

struct MessageUnref {
  void operator()(sd_bus_message* message) const noexcept {
    libsystemd().sd_bus_message_unref(message);
  }
};
using Message = std::unique_ptr<sd_bus_message, MessageUnref>;

std::unexpected<Error> bus_failure(std::string_view what, const BusError& error, int code) {
  if (error.value.message != nullptr) return fail(fmt::format("{}: {}", what, error.value.message));
  return fail_errno("asking systemd for", what, -code);
}

}  // namespace

class Systemd::Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() {
    if (bus_ != nullptr) libsystemd().sd_bus_flush_close_unref(bus_);
  }

  /// As systemctl does for root: the manager's own socket needs no bus daemon.
  Result<void> open() {
    CHECK(LibSystemd::load());
    int code = libsystemd().sd_bus_new(&bus_);
    if (code >= 0) code = libsystemd().sd_bus_set_address(bus_, kPrivateSocket);
    if (code >= 0) code = libsystemd().sd_bus_start(bus_);
    if (code < 0) {
      bus_ = libsystemd().sd_bus_flush_close_unref(bus_);
      code = libsystemd().sd_bus_open_system(&bus_);
      if (code < 0) return fail_errno("connecting to", "systemd", -code);
      BusError error;
      code = libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager,
                                             "Subscribe", &error.value, nullptr, "");
      if (code < 0) return bus_failure("subscribing to systemd's signals", error, code);
      sender_ = kDestination;
    }
    code = libsystemd().sd_bus_match_signal(bus_, nullptr, sender_, kManagerPath, kManager,
                                            "JobRemoved", &Bus::on_job_removed, this);
    if (code < 0) return fail_errno("listening to", "systemd", -code);
    return {};
  }

  Result<std::string> unit_path(const std::string& unit) {
    BusError error;
    sd_bus_message* raw = nullptr;
    const int code =
        libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager, "LoadUnit",
                                        &error.value, &raw, "s", unit.c_str());
    const Message reply(raw);
    if (code < 0) return bus_failure(unit, error, code);
    const char* path = nullptr;
    const int read = libsystemd().sd_bus_message_read(reply.get(), "o", &path);
    if (read < 0) return fail_errno("reading systemd's answer about", unit, -read);
    return std::string(path);
  }

  Result<std::string> text(const std::string& path, const char* interface, const char* name) {
    BusError error;
    char* value = nullptr;
    const int code = libsystemd().sd_bus_get_property_string(bus_, kDestination, path.c_str(),
                                                             interface, name, &error.value, &value);
    if (code < 0) return bus_failure(name, error, code);
    std::string text(value);
    std::free(value);
    return text;
  }

  Result<std::uint32_t> number(const std::string& path, const char* interface, const char* name) {
    BusError error;
    std::uint32_t value = 0;
    const int code = libsystemd().sd_bus_get_property_trivial(
        bus_, kDestination, path.c_str(), interface, name, &error.value, 'u', &value);
    if (code < 0) return bus_failure(name, error, code);
    return value;
  }

  Result<std::string> job(const char* method, const std::string& unit) {
    BusError error;
    sd_bus_message* raw = nullptr;
    int code = libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager, method,
                                               &error.value, &raw, "ss", unit.c_str(), "replace");
    const Message reply(raw);
    if (code < 0) return bus_failure(unit, error, code);
    const char* path = nullptr;
    code = libsystemd().sd_bus_message_read(reply.get(), "o", &path);
    if (code < 0) return fail_errno("reading systemd's answer about", unit, -code);
    return wait_for(path);
  }

  Result<void> set_weights(const std::string& unit, const CgroupWeights& weights) {
    BusError error;
    const int code = libsystemd().sd_bus_call_method(
        bus_, kDestination, kManagerPath, kManager, "SetUnitProperties", &error.value, nullptr,
        "sba(sv)", unit.c_str(), 1, 2, "CPUWeight", "t", static_cast<std::uint64_t>(weights.cpu),
        "IOWeight", "t", static_cast<std::uint64_t>(weights.io));
    if (code < 0) return bus_failure("setting the weights of " + unit, error, code);
    return {};
  }

  Result<std::string> file_state(const std::string& unit) {
    BusError error;
    sd_bus_message* raw = nullptr;
    const int code =
        libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager,
                                        "GetUnitFileState", &error.value, &raw, "s", unit.c_str());
    const Message reply(raw);
    if (code < 0) return bus_failure(unit, error, code);
    const char* state = nullptr;
    const int read = libsystemd().sd_bus_message_read(reply.get(), "s", &state);
    if (read < 0) return fail_errno("reading systemd's answer about", unit, -read);
    return std::string(state);
  }

  /// The links that make it start at boot, there or gone; systemd reads them again.
  Result<void> set_enabled(const std::string& unit, bool enabled) {
    BusError error;
    int code = enabled ? libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager,
                                                         "EnableUnitFiles", &error.value, nullptr,
                                                         "asbb", 1, unit.c_str(), 0, 0)
                       : libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager,
                                                         "DisableUnitFiles", &error.value, nullptr,
                                                         "asb", 1, unit.c_str(), 0);
    if (code < 0) return bus_failure(unit, error, code);
    BusError reloading;
    code = libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager, "Reload",
                                           &reloading.value, nullptr, "");
    if (code < 0) return bus_failure("reloading systemd's units", reloading, code);
    return {};
  }

  void reset_failed(const std::string& unit) {
    BusError error;
    // A unit that has not failed is an error here, and fine.
    libsystemd().sd_bus_call_method(bus_, kDestination, kManagerPath, kManager, "ResetFailedUnit",
                                    &error.value, nullptr, "s", unit.c_str());
  }

 private:
  Result<std::string> wait_for(const std::string& job_path) {
    for (;;) {
      if (const auto found = ended_.find(job_path); found != ended_.end()) {
        std::string result = std::move(found->second);
        ended_.erase(found);
        return result;
      }
      int code = libsystemd().sd_bus_process(bus_, nullptr);
      if (code == 0) code = libsystemd().sd_bus_wait(bus_, UINT64_MAX);
      if (code < 0) return fail_errno("waiting for", "systemd", -code);
    }
  }

  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error* /*error*/) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    const int code = libsystemd().sd_bus_message_read(message, "uoss", &id, &path, &unit, &result);
    if (code >= 0) static_cast<Bus*>(self)->ended_[path] = result;
    return 0;
  }

  sd_bus* bus_ = nullptr;
  const char* sender_ = nullptr;
  std::map<std::string, std::string> ended_;  ///< results of jobs, by path
};

Systemd::Systemd(std::unique_ptr<Bus> bus) : bus_(std::move(bus)) {}
Systemd::Systemd(Systemd&&) noexcept = default;
Systemd& Systemd::operator=(Systemd&&) noexcept = default;
Systemd::~Systemd() = default;

Result<Systemd> Systemd::connect() {
  auto bus = std::make_unique<Bus>();
  CHECK(bus->open());
  return Systemd(std::move(bus));
}

Result<UnitState> Systemd::unit_state(const std::string& unit) {
  TRY(const auto path, bus_->unit_path(unit));
  UnitState state;
  TRY(const auto load, bus_->text(path, kUnit, "LoadState"));
  state.known = load == "loaded";
  if (!state.known) return state;
  TRY(const auto active, bus_->text(path, kUnit, "ActiveState"));
  state.active = active != "inactive" && active != "failed";
  TRY(const auto pid, bus_->number(path, kService, "MainPID"));
  state.main_pid = static_cast<pid_t>(pid);
  TRY(state.status_text, bus_->text(path, kService, "StatusText"));
  TRY(state.result, bus_->text(path, kService, "Result"));
  return state;
}

Result<std::string> Systemd::start(const std::string& unit) { return bus_->job("StartUnit", unit); }
Result<std::string> Systemd::stop(const std::string& unit) { return bus_->job("StopUnit", unit); }
Result<std::string> Systemd::restart(const std::string& unit) {
  return bus_->job("RestartUnit", unit);
}

Result<void> Systemd::set_weights(const std::string& unit, const CgroupWeights& weights) {
  return bus_->set_weights(unit, weights);
}

Result<void> set_own_weights(const CgroupWeights& weights) {
  CHECK(LibSystemd::load());
  char* name = nullptr;
  const int code = libsystemd().sd_pid_get_unit(0, &name);
  if (code < 0) return fail_errno("finding", "this process's unit", -code);
  const std::string unit(name);
  std::free(name);
  TRY(auto systemd, Systemd::connect());
  return systemd.set_weights(unit, weights);
}

Result<bool> Systemd::is_enabled(const std::string& unit) {
  TRY(const auto state, bus_->file_state(unit));
  return state == "enabled" || state == "enabled-runtime";
}
Result<void> Systemd::enable(const std::string& unit) { return bus_->set_enabled(unit, true); }
Result<void> Systemd::disable(const std::string& unit) { return bus_->set_enabled(unit, false); }

void Systemd::reset_failed(const std::string& unit) { bus_->reset_failed(unit); }

}  // namespace evojail
