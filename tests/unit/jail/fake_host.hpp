#pragma once

#include <string>

#include "jail/image_manifest.hpp"
#include "jail/image_plan.hpp"
#include "support/temp_directory.hpp"

namespace evojail::test {

/// A small root of a system, made of this machine's own `cat`, its libraries and loader, to plan
/// images of.
class FakeHost {
 public:
  FakeHost();

  /// A path in the fake system as the real one names it.
  [[nodiscard]] std::string real(const std::string& path) const { return root_.path() + path; }
  void write(const std::string& path, const std::string& bytes, unsigned mode = 0644) const;
  void link(const std::string& path, const std::string& target) const;
  void copy(const std::string& from, const std::string& to) const;
  void remove(const std::string& path) const;

  [[nodiscard]] Result<ImagePlan> plan(const ImageManifest& manifest) const;
  /// Where the loader of this machine looks for libraries: /usr/lib/x86_64-linux-gnu.
  [[nodiscard]] const std::string& library_directory() const { return library_directory_; }

 private:
  TempDirectory root_;
  std::string library_directory_;
};

/// A manifest of these programs, all required, of package "some-package".
[[nodiscard]] ImageManifest programs(std::vector<std::string> names, bool required = true);

}  // namespace evojail::test
