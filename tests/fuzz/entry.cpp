// libFuzzer's way into one target.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace evojail::fuzz {
void EVOJAIL_FUZZ_FUNCTION(std::string_view input);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  evojail::fuzz::EVOJAIL_FUZZ_FUNCTION({reinterpret_cast<const char*>(data), size});
  return 0;
}
