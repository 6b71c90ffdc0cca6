#include "service/libsystemd.hpp"

#include <dlfcn.h>

#include <string>

namespace evojail {
namespace {

std::unexpected<Error> not_loaded() {
  // dlerror(3) names the file or the function.
  const char* why = ::dlerror();
  return std::unexpected(Error("loading libsystemd: " + std::string(why == nullptr ? "?" : why))
                             .hint("install the package libsystemd0"));
}

template <class Function>
bool look_up(void* library, const char* name, Function& function) {
  // dlsym(3): the conversion that POSIX asks for.
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

LibSystemd functions;

Result<void> load_once() {
  void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return not_loaded();
#define EVOJAIL_SYMBOL(name) \
  if (!look_up(library, #name, functions.name)) return not_loaded();
#include "service/libsystemd_symbols.hpp"
#undef EVOJAIL_SYMBOL
  return {};
}

}  // namespace

Result<void> LibSystemd::load() {
  static const auto loaded = load_once();
  return loaded;
}

const LibSystemd& libsystemd() noexcept { return functions; }

}  // namespace evojail
