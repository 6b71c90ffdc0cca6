#include "kernel/id_map.hpp"

#include <fmt/format.h>

namespace evojail {

std::string uid_map_of(std::uint32_t base) {
  constexpr std::uint32_t own = 65536;
  constexpr std::uint32_t labels = 0x80010000U;
  constexpr std::uint32_t label_count = 2147418111U;
  constexpr std::uint32_t nfs_nobody = 4294967294U;
  return fmt::format("0 {} {}\n{} {} {}\n{} {} 1\n", base, own, own, labels, label_count,
                     nfs_nobody, base + own);
}

}  // namespace evojail
