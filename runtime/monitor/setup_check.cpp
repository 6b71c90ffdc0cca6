#include "monitor/setup_check.hpp"

namespace evojail {

Findings check_setup(const HostSettings& host) {
  Findings all;
  const auto add = [&all](Findings part) {
    all.insert(all.end(), std::make_move_iterator(part.begin()),
               std::make_move_iterator(part.end()));
  };
  add(check_kernel());
  add(check_clock(host));
  add(check_cgroup(host));
  add(check_volume(host));
  add(check_isolation(host));
  add(check_image(host));
  add(check_profiles(host));
  add(check_jails(host));
  add(check_firewall(host));
  add(check_units());
  return all;
}

}  // namespace evojail
